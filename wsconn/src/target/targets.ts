import { usageFailure } from '../console/failure.ts';
import { parseTarget, type Place, showPlace } from '../console/place.ts';
import { showGiven } from '../console/secrets.ts';
import type { OptionSpecs, Values } from '../options/options.ts';

/** The option that names the targets. */
export const TARGET_OPTION = {
  to: {
    value: '[NAME=]HOST:PORT',
    multiple: true,
    help: 'TCP target, or unix:/PATH; those with a name, at /NAME, may be many',
  },
} as const satisfies OptionSpecs;

/** What a server forwards to. */
export interface Target {
  /** Its name in the path of the URL; empty for the one without. */
  readonly name: string;
  readonly place: Place;
}

/** What a name may consist of: characters that stand for themselves in a URL (RFC 3986, section 2.3). */
const NAME = /^[\w.~-]+$/;

/** Returns whether a text may be the name of a target. */
export function isTargetName(text: string): boolean {
  return NAME.test(text) && text !== '.' && text !== '..';
}

/** The targets of a server, by name. */
export class Targets {
  readonly #byName: ReadonlyMap<string, Target>;

  constructor(all: readonly Target[]) {
    this.#byName = new Map(all.map((target) => [target.name, target]));
  }

  /** The target without a name, if there is one. */
  get unnamed(): Target | undefined {
    return this.#byName.get('');
  }

  /** Names of those that have one. */
  get names(): readonly string[] {
    return [...this.#byName.keys()].filter((name) => name !== '');
  }

  named(name: string): Target | undefined {
    return this.#byName.get(name);
  }

  /** Lists them for a person. */
  toString(): string {
    const all = [...this.#byName.values()];
    return all
      .map(({ name, place }) => (name === '' ? '' : `${name} = `) + showPlace(place))
      .join(', ');
  }
}

/** Reads the targets that the options name. */
export function readTargets(values: Values<'to'>): Targets {
  values.required('to');
  const all = values.list('to').map((text) => readTarget(text, values.nameOf('to')));
  for (const [index, { name }] of all.entries()) {
    if (all.findIndex((other) => other.name === name) === index) continue;
    throw usageFailure(
      name === ''
        ? `${values.nameOf('to')} names two targets without a name: give them one, as in NAME=HOST:PORT`
        : `${values.nameOf('to')} names two targets ${name}: give each a name of its own`,
    );
  }
  return new Targets(all);
}

function readTarget(text: string, option: string): Target {
  const [, name = '', place = text] = /^(?!unix:)([^=]*)=(.*)$/s.exec(text) ?? ['', '', text];
  if (text !== place && !isTargetName(name)) {
    throw usageFailure(
      `${option} must begin with a name of letters, digits and . _ ~ -, but is ${showGiven(text)}`,
    );
  }
  return { name, place: parseTarget(place, option) };
}
