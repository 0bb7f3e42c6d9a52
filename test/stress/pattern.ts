/**
 * Bytes that say where in a stream they belong: both ends of a connection know what comes next, and
 * none of it has to be kept.
 */

/** A prime, so that no power of two of bytes lost or doubled goes unseen. */
const PERIOD = 65_537;
const MAX_CHUNK = 1_048_576;

const cycle = Buffer.alloc(PERIOD + MAX_CHUNK);
for (let i = 0, state = 1; i < cycle.length; i++) {
  if (i >= PERIOD) cycle[i] = cycle[i - PERIOD] ?? 0;
  // The generator of MINSTD (Park and Miller, 1988).
  else cycle[i] = (state = (state * 48_271) % 2_147_483_647) & 255;
}

/** Returns a copy of the `length` bytes (1 MiB at most) that begin at an offset of a stream. */
export function bytesAt(offset: number, length: number): Buffer {
  const from = offset % PERIOD;
  return Buffer.from(cycle.subarray(from, from + length));
}

/** Whether a chunk is what belongs at an offset of a stream. */
export function belongsAt(offset: number, chunk: Buffer): boolean {
  for (let done = 0; done < chunk.length; done += MAX_CHUNK) {
    const from = (offset + done) % PERIOD;
    const part = chunk.subarray(done, done + MAX_CHUNK);
    if (!part.equals(cycle.subarray(from, from + part.length))) return false;
  }
  return true;
}
