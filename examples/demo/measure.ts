import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const CHUNK = 65_536;

/** Hashes of what was sent and of what came back. */
export interface Echo {
  readonly seconds: number;
  readonly sentHash: string;
  readonly receivedHash: string;
}

/** Sends random bytes to a command that sends them back, and reads them at the same time. */
export async function sendAndReceive(
  echo: Duplex,
  total: number,
  moved: (bytes: number) => void,
): Promise<Echo> {
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const startedAt = performance.now();
  function* randomChunks(): Generator<Buffer> {
    for (let left = total; left > 0; left -= CHUNK) {
      const chunk = randomBytes(Math.min(left, CHUNK));
      sent.update(chunk);
      yield chunk;
    }
  }
  const read = async (): Promise<void> => {
    for await (const chunk of echo as AsyncIterable<Buffer>) {
      received.update(chunk);
      moved(chunk.length);
    }
  };
  await Promise.all([pipeline(randomChunks, echo), read()]);
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, sentHash: sent.digest('hex'), receivedHash: received.digest('hex') };
}

/**
 * Returns the median time in ms that one byte takes there and back, as somebody at a keyboard feels
 * it.
 */
export async function medianRoundTrip(echo: Duplex, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    echo.write('x');
    await once(echo, 'data');
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(rounds / 2)] ?? NaN;
}
