/**
 * Runs what may call the user. An error of a handler must not unwind through what reads frames,
 * which would read no more: it is thrown on a tick of its own, where it is the uncaught exception
 * that it would have been.
 */
export function isolate(action: () => void): void {
  try {
    action();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
