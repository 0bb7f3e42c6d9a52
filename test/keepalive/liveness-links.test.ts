import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { SimulatedConnection, simulateClock } from '../support/links/simulated-connection.ts';

const KB = 1_000;
const MB = 1_000 * KB;
const MESSAGE = 65_536;
/** Bytes that the kernels hold. */
const KERNELS = 4 * MB;
/** Time in ms between two steps. */
const STEP = 50;
const DEFAULTS = { interval: 15_000, pongTimeout: 10_000 };

interface Upload {
  readonly size: number;
  /** Bytes in one go, before anything else is done. */
  readonly chunk?: number;
  /** Bytes a second of the link after so many bytes. */
  readonly rate: (arrived: number) => number;
  /** Time in ms from a byte's departure at the end of the queue to the answer to it. */
  readonly delay?: number;
  /** Bytes after which the peer is dead. */
  readonly diesAt?: number;
}

/**
 * Uploads through kernels that take all they can hold at once, as fast as they do, and waits for
 * the end or a death. Gives the connection, what has arrived, and when the peer died.
 */
function upload({ size, chunk = MESSAGE, rate, delay = 0, diesAt = Infinity }: Upload): {
  connection: SimulatedConnection;
  arrived: number;
  diedAt: number;
} {
  const connection = new SimulatedConnection(DEFAULTS);
  connection.liveness.start();
  let arrived = 0;
  let answered = 0;
  let diedAt = Infinity;
  const answers: { readonly id: number; readonly at: number }[] = [];
  const isDone = (): boolean => arrived >= size && answered === connection.pings.length;
  while (!connection.death && !isDone()) {
    const written = connection.written() ?? 0;
    if (written < size && written - arrived < KERNELS)
      connection.write(Math.min(chunk, size - written));
    else {
      vi.advanceTimersByTime(STEP);
      if (arrived < diesAt) {
        arrived = Math.min(connection.written() ?? 0, arrived + (rate(arrived) * STEP) / 1000);
      } else if (diedAt === Infinity) diedAt = connection.now;
    }
    if (diedAt < Infinity) continue;
    for (const ping of connection.pings.slice(answered + answers.length)) {
      if (ping.position <= arrived) answers.push({ id: ping.id, at: connection.now + delay });
    }
    while (answers[0] && answers[0].at <= connection.now) {
      connection.answer(answers[0].id);
      answers.shift();
      answered++;
    }
  }
  connection.liveness.stop();
  return { connection, arrived, diedAt };
}

beforeEach(simulateClock);

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an upload of 10 MB through 4 MB of kernels', () => {
  test.each<[string, Partial<Upload> & Pick<Upload, 'rate'>]>([
    ['16 kB/s', { rate: () => 16 * KB }],
    ['16 kB/s and a round trip of 2 s', { rate: () => 16 * KB, delay: 2_000 }],
    ['130 kB/s', { rate: () => 130 * KB }],
    ['1 MB/s', { rate: () => MB }],
    ['1 MB/s that falls to 16 kB/s', { rate: (arrived) => (arrived < 3 * MB ? MB : 16 * KB) }],
    [
      '1 GB/s that falls to 16 kB/s',
      { rate: (arrived) => (arrived < 3 * MB ? 1_000 * MB : 16 * KB) },
    ],
    ['16 kB/s in messages of 2 MB', { rate: () => 16 * KB, chunk: 2 * MB }],
    ['16 kB/s in one message', { rate: () => 16 * KB, chunk: 10 * MB }],
  ])('at %s never takes the peer for dead', (_name, options) => {
    const { connection, arrived } = upload({ size: 10 * MB, ...options });
    expect(connection.death).toBeNull();
    expect(arrived).toBe(10 * MB);
  });

  test.each([
    ['16 kB/s', 16 * KB],
    ['130 kB/s', 130 * KB],
    ['1 MB/s', MB],
  ])('at %s finds a peer that dies in the middle within 18.3 s', (_name, rate) => {
    const { connection, diedAt } = upload({ size: 10 * MB, rate: () => rate, diesAt: 5 * MB });
    expect((connection.death?.at ?? Infinity) - diedAt).toBeLessThan(18_300);
  });

  test('at 1 GB/s finds a peer that dies in the middle within 42.9 s', () => {
    const { connection, diedAt } = upload({
      size: 100 * MB,
      rate: () => 1_000 * MB,
      diesAt: 50 * MB,
    });
    expect((connection.death?.at ?? Infinity) - diedAt).toBeLessThan(42_900);
  });
});
