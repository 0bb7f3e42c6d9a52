import { isMap } from 'yaml';

import { quoted } from '../console/escape.ts';
import { EXIT_USAGE, Failure, usageFailure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import { nearest } from '../console/nearest.ts';
import { hideSecrets } from '../console/secrets.ts';
import { readNamedFile } from '../dial/read-file.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import type { Command, ConfigFile } from '../options/command.ts';
import type { FileValue } from '../options/given.ts';
import { offsetOf, parseYaml, wordOf, type Yaml } from './parse-yaml.ts';
import { Problems } from './problems.ts';
import { optionsOf, readSection } from './read-section.ts';

/** More characters than any configuration needs. */
const LONGEST = 1024 * 1024;

/** What a configuration file says, by the names of the subcommands. */
export type Sections = ReadonlyMap<string, readonly FileValue[]>;

/**
 * Reads a configuration file for one subcommand. The whole file is checked.
 * @param option - what names the file, for messages
 * @throws Failures with a line for each thing that is wrong with it
 */
export async function readConfig(
  path: string,
  name: string,
  commands: readonly Command[],
): Promise<ConfigFile> {
  const sections = await readSections(path, commands, '--config');
  return {
    values: sections.get(name) ?? [],
    warn: (log) => warnOfSecrets(sections, path, '--config', log),
  };
}

/** Reads all sections of a configuration file, as `readConfig()` does. */
export async function readSections(
  path: string,
  commands: readonly Command[],
  option: string,
): Promise<Sections> {
  const problems = new Problems(path);
  const yaml = parseYaml(await readText(path, option), problems);
  const sections = sectionsOf(yaml, commands, problems);
  problems.throwAny();
  return sections;
}

async function readText(path: string, option: string): Promise<string> {
  let text: string;
  try {
    text = await readNamedFile(path, option);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.message, { exitCode: EXIT_USAGE, cause: error });
  }
  if (text.length <= LONGEST) return text;
  throw usageFailure(`${path}, which ${option} names, is no configuration: it is over 1 MiB long`);
}

function sectionsOf(yaml: Yaml, commands: readonly Command[], problems: Problems): Sections {
  const sections = new Map<string, readonly FileValue[]>();
  const contents = yaml.resolve(yaml.contents);
  if (!isMap(contents) || contents.items.length === 0) {
    const problem = contents === null || isMap(contents) ? 'it holds nothing' : 'it is no map';
    problems.add(offsetOf(contents), `${problem}: ${WANTED}`);
    return sections;
  }
  const configurable = commands.filter(({ takesConfig }) => !takesConfig);
  for (const { key, value } of contents.items) {
    const name = wordOf(key);
    const command = configurable.find((one) => one.name === name);
    if (command) sections.set(command.name, readSection(value, command, yaml, problems));
    else problems.add(offsetOf(key), unknownCommand(name, configurable));
  }
  return sections;
}

const WANTED = 'write the name of a command, such as serve:, and its options below, indented';

function unknownCommand(name: string | undefined, commands: readonly Command[]): string {
  if (name === undefined) return `a key is a plain word: ${WANTED}`;
  const names = commands.map((one) => one.name);
  const meant = nearest(name, names);
  const isOption = commands.some((command) => Object.hasOwn(optionsOf(command), name));
  const hint = isOption
    ? 'an option stands below the name of its command, indented, such as serve:'
    : meant === undefined
      ? `there are ${names.join(', ')}`
      : `did you mean ${meant}?`;
  return `there is no command ${quoted(name)}: ${hint}`;
}

/** Warns where a file holds secrets, such as the password of a URL, and everybody may read it. */
export async function warnOfSecrets(
  sections: Sections,
  path: string,
  option: string,
  log: Log,
): Promise<void> {
  const values = [...sections.values()].flat();
  const secret = values.some(({ value }) => value !== undefined && hideSecrets(value) !== value);
  if (secret) await new SecretFiles(log).warn(path, option);
}
