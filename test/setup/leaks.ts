/** What holds the process or watches it at one moment. */
export interface Snapshot {
  /** How many there are of each kind of handle and request, by Node's names for them. */
  readonly resources: ReadonlyMap<string, number>;
  /** Timers that have neither fired nor been cleared, each with an error made where it was set. */
  readonly timers: ReadonlyMap<NodeJS.Timeout, Error>;
  /** How many listeners of each event `process` has. */
  readonly listeners: ReadonlyMap<string, number>;
}

/**
 * Kinds that are not looked at here: timers are, one by one, and the rest come and go with the test
 * runner's own work.
 */
const PASSING = new Set(['Timeout', 'Immediate', 'FSReqCallback', 'FSReqPromise', 'TTYWrap']);

/**
 * Timers set by any code since `watchTimers()`, with where; those that are over are dropped when a
 * snapshot is taken.
 */
const timersSet = new Map<NodeJS.Timeout, Error>();

/**
 * A timer that fired or was cleared says so in this field, which Node has had under this name in
 * every version.
 */
function isOver(timer: NodeJS.Timeout): boolean {
  return (timer as unknown as { readonly _destroyed: boolean })._destroyed;
}

/**
 * Records every timer set from now on by setTimeout() and setInterval(), also of those that
 * are unref'ed, which `process.getActiveResourcesInfo()` leaves out. Returns the function that ends
 * it.
 */
export function watchTimers(): () => void {
  const { setTimeout: plainTimeout, setInterval: plainInterval } = globalThis;
  const watched = <T extends typeof plainTimeout | typeof plainInterval>(set: T): T =>
    // A proxy keeps what hangs on the function, such as its form for util.promisify().
    new Proxy(set, {
      apply: (target, self, args: Parameters<typeof plainTimeout>) => {
        const timer: NodeJS.Timeout = Reflect.apply(target, self, args);
        timersSet.set(timer, new Error('set here'));
        return timer;
      },
    });
  globalThis.setTimeout = watched(plainTimeout);
  globalThis.setInterval = watched(plainInterval);
  return () => {
    globalThis.setTimeout = plainTimeout;
    globalThis.setInterval = plainInterval;
    timersSet.clear();
  };
}

function count(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Looks at what holds the process now. */
export function takeSnapshot(): Snapshot {
  for (const timer of timersSet.keys()) if (isOver(timer)) timersSet.delete(timer);
  const listeners = new Map(
    process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  );
  const resources = count(process.getActiveResourcesInfo().filter((kind) => !PASSING.has(kind)));
  return { resources, timers: new Map(timersSet), listeners };
}

function* grown(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  what: string,
): Generator<string> {
  for (const [name, there] of after) {
    const more = there - (before.get(name) ?? 0);
    if (more > 0) yield `${String(more)} ${what} ${name}`;
  }
}

/** Reports, a line each, what there is more of than before. Empty where nothing was left behind. */
export function leaksBetween(before: Snapshot, after: Snapshot): string[] {
  const leaks = [
    ...grown(before.resources, after.resources, 'open'),
    ...grown(before.listeners, after.listeners, 'more listener(s) on process for'),
  ];
  for (const [timer, { stack }] of after.timers) {
    // The first line is the error's own, the second the watch on setTimeout().
    const place = stack?.split('\n').slice(2, 8).join('\n') ?? '';
    if (!before.timers.has(timer)) leaks.push(`a timer that still runs, set\n${place}`);
  }
  return leaks;
}

/** Turns of the event loop in which whatever was closed is expected to be gone. */
const TURNS = 20;
/** Pause in ms between two looks at what takes longer, such as the end of a child process. */
const PAUSE = 10;

/**
 * Compares with an earlier snapshot until nothing is left; returns what is left after `patience`
 * ms. What was closed goes within a few turns of the event loop, so this takes time only when it is
 * about to fail.
 */
export async function leaksSince(before: Snapshot, patience: number): Promise<string[]> {
  const { setImmediate: immediate, setTimeout: later } = globalThis;
  const deadline = performance.now() + patience;
  for (let turn = 0; ; turn++) {
    const leaks = leaksBetween(before, takeSnapshot());
    if (leaks.length === 0 || performance.now() > deadline) return leaks;
    await new Promise((resolve) => (turn < TURNS ? immediate(resolve) : later(resolve, PAUSE)));
  }
}
