import { isMap, isScalar, isSeq } from 'yaml';

import { quoted } from '../console/escape.ts';
import { nearest } from '../console/nearest.ts';
import { argumentsOf, type Command } from '../options/command.ts';
import type { FileValue } from '../options/given.ts';
import { COMMON_OPTIONS, type OptionSpec, type OptionSpecs } from '../options/options.ts';
import { offsetOf, wordOf, type Yaml } from './parse-yaml.ts';
import type { Problems } from './problems.ts';
import { textOf } from './read-value.ts';

/** What belongs to the command line alone. */
const NOT_IN_FILES = new Set(['config', 'help']);

/** Returns what a section may hold: the options and the arguments of its subcommand. */
export function optionsOf(command: Command): OptionSpecs {
  const { options, connectionOptions } = command;
  const all: OptionSpecs = { ...options, ...connectionOptions, ...COMMON_OPTIONS };
  const inFiles = Object.entries(all).filter(([name]) => !NOT_IN_FILES.has(name));
  const args = argumentsOf(command).map(({ name, help, secret = false }) => {
    const spec: OptionSpec = { value: name.toUpperCase(), help, secret };
    return [name, spec] as const;
  });
  return Object.fromEntries<OptionSpec>([...args, ...inFiles]);
}

/** Returns the values of a section in their order; adds what is wrong with them to the problems. */
export function readSection(
  node: unknown,
  command: Command,
  yaml: Yaml,
  problems: Problems,
): readonly FileValue[] {
  return new Section(command, yaml, problems).read(node);
}

/** Reads one section. */
class Section {
  readonly #command: string;
  readonly #specs: OptionSpecs;
  readonly #yaml: Yaml;
  readonly #problems: Problems;
  readonly #values: FileValue[] = [];

  constructor(command: Command, yaml: Yaml, problems: Problems) {
    this.#command = command.name;
    this.#specs = optionsOf(command);
    this.#yaml = yaml;
    this.#problems = problems;
  }

  read(node: unknown): readonly FileValue[] {
    const section = this.#yaml.resolve(node);
    // Nothing below its name: a section without options.
    if (isScalar(section) && section.value === null) return [];
    if (!isMap(section)) {
      this.#problems.add(
        offsetOf(node),
        `${this.#command} is a map: write its options below it, indented, such as log-level: info`,
      );
      return [];
    }
    for (const { key, value } of section.items) {
      const named = this.#specOf(key);
      if (named) this.#readOption(...named, value ?? key);
    }
    return this.#values;
  }

  #specOf(key: unknown): [name: string, spec: OptionSpec] | undefined {
    const name = wordOf(key);
    const spec = name !== undefined && Object.hasOwn(this.#specs, name) && this.#specs[name];
    if (spec) return [name, spec];
    this.#problems.add(offsetOf(key), this.#unknown(name));
    return undefined;
  }

  #unknown(name: string | undefined): string {
    if (name === undefined) return 'a key is the name of an option';
    if (name === '<<') {
      return 'merge keys (<<) are not followed: give the whole section an anchor, or write it out';
    }
    if (NOT_IN_FILES.has(name)) return `${name} belongs on the command line, not in a file`;
    const bare = name.replace(/^-+/, '');
    const meant = nearest(bare, Object.keys(this.#specs));
    const hint =
      meant === undefined
        ? `see wsconn ${this.#command} --help for those there are`
        : `did you mean ${meant}?`;
    return `${this.#command} has no option ${quoted(name)}: ${hint}`;
  }

  #readOption(name: string, spec: OptionSpec, node: unknown): void {
    const value = this.#yaml.resolve(node);
    if (isMap(value)) {
      if (spec.between !== undefined) this.#readMap(name, spec, value.items);
      else if (spec.beside) this.#readGroup(name, spec, value);
      else this.#problems.add(offsetOf(node), `${name} takes no map: give ${valueOf(spec)}`);
    } else if (isSeq(value)) {
      this.#readList(name, spec, value.items, offsetOf(node));
    } else {
      this.#add(name, spec, node);
    }
  }

  #readList(name: string, spec: OptionSpec, items: readonly unknown[], offset: number): void {
    if (!spec.multiple) {
      this.#problems.add(offset, `${name} is no list: give ${valueOf(spec)}`);
    } else if (items.length === 0) {
      this.#problems.add(offset, `${name} is an empty list: give it a value, or leave it out`);
    }
    if (!spec.multiple) return;
    for (const item of items) {
      const value = this.#yaml.resolve(item);
      if (isMap(value) && spec.beside) this.#readGroup(name, spec, value);
      else this.#add(name, spec, item);
    }
  }

  /** Reads a map of names and values, such as that of `to`. */
  #readMap(
    name: string,
    spec: OptionSpec,
    items: readonly { readonly key: unknown; readonly value: unknown }[],
  ): void {
    for (const { key, value } of items) {
      const entry = wordOf(key);
      if (entry === undefined) this.#problems.add(offsetOf(key), 'a key is a plain word');
      else this.#add(name, spec, value ?? key, `${entry}${spec.between ?? ''}`);
    }
  }

  /** Reads options that belong together, such as a pair of `listen` and `to`. */
  #readGroup(
    name: string,
    spec: OptionSpec,
    map: { readonly items: readonly { readonly key: unknown; readonly value: unknown }[] },
  ): void {
    const names = [name, ...(spec.beside ?? [])];
    const given = new Map(map.items.map(({ key, value }) => [wordOf(key), { key, value }]));
    for (const [word, { key }] of given) {
      if (word !== undefined && names.includes(word)) continue;
      const wanted = names.join(' and ');
      this.#problems.add(offsetOf(key), `only ${wanted} can stand together below ${name}`);
    }
    if (!given.has(name)) this.#problems.add(offsetOf(map), `${name} is missing in this entry`);
    // On a command line the others follow the one that they belong to.
    for (const one of names) {
      const value = given.get(one)?.value;
      const oneSpec = this.#specs[one];
      if (value !== undefined && oneSpec) this.#add(one, oneSpec, value);
    }
  }

  #add(name: string, spec: OptionSpec, node: unknown, before = ''): void {
    const text = textOf(this.#yaml.resolve(node), name, spec);
    if ('problem' in text) {
      this.#problems.add(offsetOf(node), text.problem);
      return;
    }
    const value = text.value === undefined ? undefined : `${before}${text.value}`;
    this.#values.push({ name, value, place: this.#problems.placeOf(offsetOf(node)) });
  }
}

function valueOf({ value, multiple = false }: OptionSpec): string {
  return value === undefined ? 'true or false' : `${value}${multiple ? ', or a list' : ''}`;
}
