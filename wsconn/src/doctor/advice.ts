import type { Diagnosis, Observations } from './diagnosis.ts';

/** What the words need to know beside the diagnosis. */
export interface Circumstances {
  /** Longest silence that was tried, in seconds. */
  readonly longest: number;
  /** Whether the server keeps still and gives back what it gets, as `wsconn serve` does. */
  readonly quiet: boolean;
  /** How often servers that do not keep still sent something of their own. */
  readonly heard: number;
}

/**
 * Says in plain words what a path does to idle connections, and what to do about it; one line each.
 */
export function prescribe(
  diagnosis: Diagnosis,
  observations: Observations,
  { longest, quiet, heard }: Circumstances,
): string[] {
  const lines = [
    ...idleLines(diagnosis, observations, longest),
    ...pingLines(diagnosis),
    durationLine(diagnosis, longest),
  ];
  if (!quiet) {
    lines.push(
      'The server is not wsconn serve: what it does by itself counts as the path here.',
      ...(heard > 0
        ? [
            `It spoke ${String(heard)} times unasked, so silences may have been shorter than planned.`,
          ]
        : []),
    );
  }
  return [...lines, ...adviceLines(diagnosis)];
}

function idleLines(
  { idleLimit, durationLimit }: Diagnosis,
  { silent }: Observations,
  longest: number,
): string[] {
  if (!idleLimit) {
    const within = durationLimit ?? longest;
    return [`Idle limit: none found within ${seconds(within)}.`];
  }
  const first = silent.find(({ outcome }) => outcome !== 'alive');
  const how =
    first?.outcome === 'mute'
      ? 'the path forgets them without telling'
      : first?.code === NO_CLOSE_FRAME
        ? 'the path cuts them'
        : `the path closes them with code ${String(first?.code)}`;
  const { exact, atLeast, atMost } = idleLimit;
  const limit = exact
    ? `about ${seconds(atMost)}`
    : `between ${seconds(atLeast)} and ${seconds(atMost)}`;
  return [
    `Idle limit: ${limit}. Connections on which nothing moves that long do not live: ${how}.`,
  ];
}

const NO_CLOSE_FRAME = 1006;

function pingLines({ idleLimit, pingsHold }: Diagnosis): string[] {
  if (pingsHold === null)
    return ['Pings: whether they hold a connection open cannot be told from this.'];
  if (!pingsHold)
    return ['Pings: they do not hold a connection open; the path does not count them.'];
  return idleLimit ? ['Pings: they hold a connection open.'] : [];
}

function durationLine({ durationLimit }: Diagnosis, longest: number): string {
  return durationLimit === null
    ? `Limit on total duration: none found within ${seconds(longest)}.`
    : `Limit on total duration: about ${seconds(durationLimit)}. No ping helps against it: raise it on the path.`;
}

function adviceLines({ keepalive, idleLimit }: Diagnosis): string[] {
  if (keepalive === null) {
    return [
      'Advice: --keepalive does not help here. Raise the limits of what is between, or send data.',
    ];
  }
  return idleLimit
    ? [`Advice: use --keepalive ${String(keepalive)}`]
    : [`Advice: use --keepalive ${String(keepalive)}, the default`];
}

function seconds(value: number): string {
  return `${value < 10 ? String(Math.round(value * 10) / 10) : value.toFixed(0)} s`;
}
