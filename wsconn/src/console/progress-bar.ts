const WIDTH = 30;
/** Time in ms between two pictures. */
const FRAME = 250;

/**
 * Shows on a terminal how much of a time has passed; elsewhere, nothing. Gives what ends it and
 * wipes it away.
 */
export function showProgress(
  seconds: number,
  out: NodeJS.WriteStream = process.stderr,
): () => void {
  if (!out.isTTY) return () => undefined;
  const start = performance.now();
  const draw = (): void => {
    const passed = Math.min(seconds, (performance.now() - start) / 1000);
    const filled = Math.round((passed / seconds) * WIDTH);
    const bar = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}]`;
    out.write(`\r${bar} ${passed.toFixed(0)} of ${seconds.toFixed(0)} s`);
  };
  draw();
  const timer = setInterval(draw, FRAME);
  return () => {
    clearInterval(timer);
    // To the start of the line, and erase to its end (ECMA-48, CR and EL).
    out.write('\r\u001b[K');
  };
}
