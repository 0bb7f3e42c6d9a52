/**
 * The ways in which callers can come at the same time, by name: each runs a function at its kind of
 * moment.
 */
export const schedules = {
  'in the same tick': (call: () => void): void => {
    call();
  },
  'in microtasks': (call: () => void): void => {
    queueMicrotask(call);
  },
  'in nextTicks': (call: () => void): void => {
    process.nextTick(call);
  },
  'in immediates': (call: () => void): void => {
    setImmediate(call);
  },
} as const satisfies Record<string, (call: () => void) => void>;
