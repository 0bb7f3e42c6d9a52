import { ABNORMAL_CLOSURE } from '../console/codes.ts';
import type { Diagnosis, Observations } from './diagnosis.ts';

/** What the advice depends on beside the diagnosis. */
export interface Circumstances {
  /** Longest silence that was tried, in seconds. */
  readonly longest: number;
  /** Whether the server sends nothing by itself and echoes what it gets, as `wsconn serve` does. */
  readonly quiet: boolean;
  /** How often the server sent something by itself. */
  readonly heard: number;
}

/** Returns lines that say what a path does to idle connections, and what to do about it. */
export function advise(
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
      'The server is not wsconn serve: what it does itself is reported as the path here.',
      ...(heard > 0
        ? [
            `It sent ${String(heard)} messages or pings by itself, so silences may have been shorter than planned.`,
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
      ? 'the path forgets it without notice'
      : first?.code === ABNORMAL_CLOSURE
        ? 'the path cuts it'
        : `the path closes it with code ${String(first?.code)}`;
  const { exact, atLeast, atMost } = idleLimit;
  const limit = exact
    ? `about ${seconds(atMost)}`
    : `between ${seconds(atLeast)} and ${seconds(atMost)}`;
  return [`Idle limit: ${limit}. When nothing moves on a connection for that long, ${how}.`];
}

function pingLines({ idleLimit, pingsHold }: Diagnosis): string[] {
  if (pingsHold === null)
    return ['Pings: the results do not show whether they keep a connection open.'];
  if (!pingsHold) return ['Pings: they do not keep a connection open; the path ignores them.'];
  return idleLimit ? ['Pings: they keep a connection open.'] : [];
}

function durationLine({ durationLimit, rotate }: Diagnosis, longest: number): string {
  return durationLimit === null
    ? `Limit on total duration: none found within ${seconds(longest)}.`
    : `Limit on total duration: about ${seconds(durationLimit)}. Pings do not help against it: raise it on the path, or give connect or forward --resume --resume-rotate ${String(rotate)}.`;
}

function adviceLines({ keepalive, idleLimit }: Diagnosis): string[] {
  if (keepalive === null) {
    return ['Advice: --keepalive does not help here. Raise the limits on the path, or send data.'];
  }
  return idleLimit
    ? [`Advice: use --keepalive ${String(keepalive)}`]
    : [`Advice: use --keepalive ${String(keepalive)}, the default`];
}

function seconds(value: number): string {
  return `${value < 10 ? String(Math.round(value * 10) / 10) : value.toFixed(0)} s`;
}
