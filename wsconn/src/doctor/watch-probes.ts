import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import type { Probe, ProbeEnd } from '../dial/probe.ts';
import type { Observation, Observations, Silence } from './diagnosis.ts';

/**
 * Time in ms for an answer to a ping; after that the path counts as having forgotten the
 * connection.
 */
const PONG_LIMIT = 5_000;
/** How often pings and data go within the shortest silence, so that they never look like one. */
const BEATS_PER_STEP = 4;
/** Longest time between pings, in ms. */
const SLOWEST_BEAT = 1_000;

const BEAT = Buffer.from('.');

/** The open probes of one examination. */
export interface Probes {
  readonly silent: readonly Probe[];
  readonly pinging: Probe;
  readonly talking: Probe | null;
}

/**
 * Leaves each silent probe alone for its time, then checks whether it is still alive. Meanwhile the
 * others ping or talk, until the longest silence ends.
 * @param steps - seconds of silence, one for each silent probe
 * @param signal - ends the examination early; the result then means nothing
 */
export async function watchProbes(
  { silent, pinging, talking }: Probes,
  steps: readonly number[],
  signal: AbortSignal,
): Promise<Observations> {
  const end = performance.now() + Math.max(...steps) * 1000;
  const beat = Math.min(SLOWEST_BEAT, (Math.min(...steps) * 1000) / BEATS_PER_STEP);
  const keepPinging = async (probe: Probe): Promise<boolean> =>
    (await probe.ping(PONG_LIMIT)) !== null;
  const keepTalking = (probe: Probe): Promise<boolean> => {
    probe.ws.send(BEAT);
    // The answer is the echo; whether the path still takes data shows at the end, by a ping.
    return Promise.resolve(true);
  };
  const [silences, pinged, talked] = await Promise.all([
    Promise.all(silent.map((probe, index) => watchSilent(probe, steps[index] ?? 0, signal))),
    watchBusy(pinging, keepPinging, beat, end, signal),
    talking && watchBusy(talking, keepTalking, beat, end, signal),
  ]);
  return { silent: silences, pinging: pinged, talking: talked };
}

async function watchSilent(probe: Probe, planned: number, signal: AbortSignal): Promise<Silence> {
  const silentFor = (at: number): number => (at - probe.movedAt) / 1000;
  const ended = await Promise.race([probe.ended, pauseFor(planned * 1000, signal)]);
  if (ended) return { planned, ...cut(ended, silentFor(ended.at)) };
  const after = silentFor(performance.now());
  const answered = (await probe.ping(PONG_LIMIT)) !== null;
  return { planned, outcome: answered ? 'alive' : 'mute', after };
}

async function watchBusy(
  probe: Probe,
  keepBusy: (probe: Probe) => Promise<boolean>,
  beat: number,
  end: number,
  signal: AbortSignal,
): Promise<Observation> {
  const start = performance.now();
  const age = (at: number): number => (at - start) / 1000;
  while (performance.now() < end && !signal.aborted) {
    const answered = await keepBusy(probe);
    const ended = await Promise.race([probe.ended, pauseFor(answered ? beat : 0, signal)]);
    if (ended) return cut(ended, age(ended.at));
    if (!answered) return { outcome: 'mute', after: age(probe.movedAt) };
  }
  const answered = (await probe.ping(PONG_LIMIT)) !== null;
  return { outcome: answered ? 'alive' : 'mute', after: age(probe.movedAt) };
}

function cut({ code }: ProbeEnd, after: number): Observation {
  return { outcome: 'cut', after, code };
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<undefined> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
