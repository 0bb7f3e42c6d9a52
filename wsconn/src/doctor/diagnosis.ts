/** What became of one connection. Times are in seconds. */
export interface Observation {
  /**
   * - `alive`: it answered a ping at the end of its time.
   * - `cut`: it was closed, `after` so much time without a byte.
   * - `mute`: it was not closed, and did not answer a ping: something on the path has forgotten it.
   */
  readonly outcome: 'alive' | 'cut' | 'mute';
  /** How long nothing had moved on it, or for `pinging` and `talking` how old it was. */
  readonly after: number;
  /** Close code where it was cut; 1006 where there was no Close frame. */
  readonly code?: number;
}

/** One connection that was left silent. */
export interface Silence extends Observation {
  /** How long it was to be silent. */
  readonly planned: number;
}

export interface Observations {
  /** Connections that were left silent, the shortest first. */
  readonly silent: readonly Silence[];
  /** The connection that pinged all along. */
  readonly pinging: Observation;
  /**
   * The connection that sent data all along; null where the server would not have known what to do
   * with it.
   */
  readonly talking: Observation | null;
}

export interface IdleLimit {
  /** The longest silence that did no harm; 0 if there was none. */
  readonly atLeast: number;
  /** The shortest silence that a connection did not survive. */
  readonly atMost: number;
  /** Whether the moment of a cut was seen, so that `atMost` is the limit itself. */
  readonly exact: boolean;
}

export interface Diagnosis {
  /** Null where the longest silence did no harm. */
  readonly idleLimit: IdleLimit | null;
  /** Whether pings keep an idle connection open; null where the results do not show it. */
  readonly pingsHold: boolean | null;
  /**
   * Seconds after which every connection ends, idle or not; null where there is no such limit
   * within the time.
   */
  readonly durationLimit: number | null;
  /** What to give for --keepalive; null where it does not help. */
  readonly keepalive: number | null;
  /** What to give for --resume-rotate; null where there is no limit on the duration. */
  readonly rotate: number | null;
}

/**
 * Two times that differ by less than this, in seconds, or this share of the longer one, count as
 * one: clocks of proxies are coarse.
 */
const SLACK = { seconds: 0.5, share: 0.1 };
/** The command's own default, which is short enough for any limit that is documented anywhere. */
const DEFAULT_KEEPALIVE = 15;
/** A ping can follow up to two intervals after the last byte; the rest is for the way. */
const KEEPALIVES_PER_LIMIT = 2.5;

/** Time in seconds before the end that the next WebSocket has to open, and the share of a short limit. */
const HEAD_START = { seconds: 30, share: 0.2 };

/** Concludes what a path does to connections from what it did to some. */
export function diagnose(observations: Observations): Diagnosis {
  const limits = limitsOf(observations);
  return { ...limits, rotate: rotateFor(limits.durationLimit) };
}

function limitsOf({ silent, pinging, talking }: Observations): Omit<Diagnosis, 'rotate'> {
  const failed = silent.filter(({ outcome }) => outcome !== 'alive');
  const limit = failed.length === 0 ? null : idleLimitOf(silent, failed);
  const steady = talking ?? pinging;
  if (pinging.outcome === 'alive') {
    return {
      idleLimit: limit,
      pingsHold: true,
      durationLimit: null,
      keepalive: keepaliveFor(limit),
    };
  }
  const together = limit !== null && same(pinging.after, limit.atMost);
  if (steady.outcome === 'alive') {
    return { idleLimit: limit, pingsHold: false, durationLimit: null, keepalive: null };
  }
  if (!together) {
    // It outlived the silent ones, or there was nothing to outlive: only its age can have ended it.
    return {
      idleLimit: limit,
      pingsHold: true,
      durationLimit: steady.after,
      keepalive: keepaliveFor(limit),
    };
  }
  if (talking !== null && same(talking.after, pinging.after)) {
    return {
      idleLimit: null,
      pingsHold: null,
      durationLimit: talking.after,
      keepalive: DEFAULT_KEEPALIVE,
    };
  }
  return {
    idleLimit: limit,
    pingsHold: talking === null ? null : false,
    durationLimit: talking?.after ?? null,
    keepalive: null,
  };
}

function idleLimitOf(silent: readonly Silence[], failed: readonly Silence[]): IdleLimit {
  const cuts = failed.filter(({ outcome }) => outcome === 'cut').map(({ after }) => after);
  const atMost = Math.min(...failed.map(({ planned }) => planned), ...cuts);
  const survived = silent.filter(({ outcome, after }) => outcome === 'alive' && after < atMost);
  return {
    atLeast: Math.max(0, ...survived.map(({ after }) => after)),
    atMost,
    exact: cuts.length > 0,
  };
}

function same(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(SLACK.seconds, SLACK.share * Math.max(a, b));
}

/** Returns an interval that surely keeps a connection open, in whole seconds where possible. */
function keepaliveFor(limit: IdleLimit | null): number {
  if (limit === null) return DEFAULT_KEEPALIVE;
  const held = limit.exact || limit.atLeast === 0 ? limit.atMost : limit.atLeast;
  return rounded(held / KEEPALIVES_PER_LIMIT);
}

/** Returns an age at which the next WebSocket is open well before the path ends the old one. */
function rotateFor(limit: number | null): number | null {
  if (limit === null) return null;
  return rounded(limit - Math.min(HEAD_START.seconds, HEAD_START.share * limit));
}

/** Rounds seconds down: to whole ones where possible. */
function rounded(seconds: number): number {
  return seconds >= 1 ? Math.floor(seconds) : Math.max(0.1, Math.floor(seconds * 10) / 10);
}
