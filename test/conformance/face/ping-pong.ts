import { describe, expect, test } from 'vitest';

import { readExactly } from '../../support/reading.ts';
import { connected, type End, type Subject } from '../subject.ts';

const ROUNDS = 1_000;

async function serve(end: End, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const ball = await readExactly(end, 8);
    ball.writeBigUInt64BE(ball.readBigUInt64BE() + 1n);
    end.write(ball);
  }
}

/** Small messages to and fro: each waits for the one before. */
export function pingPong(subject: Subject): void {
  describe('ping-pong', () => {
    test('a small message goes to and fro a thousand times', async () => {
      const { a, b } = await connected(subject);
      const served = serve(b, ROUNDS);
      const ball = Buffer.alloc(8);
      for (let i = 0; i < ROUNDS; i++) {
        a.write(ball);
        (await readExactly(a, 8)).copy(ball);
        expect(ball.readBigUInt64BE()).toBe(BigInt(i + 1));
      }
      await served;
    });

    test('both ends may be the one that begins', async () => {
      const { a, b } = await connected(subject);
      a.write(Buffer.alloc(8));
      b.write(Buffer.alloc(8));
      await Promise.all([serve(a, ROUNDS / 2), serve(b, ROUNDS / 2)]);
      const [atA, atB] = await Promise.all([readExactly(a, 8), readExactly(b, 8)]);
      expect([atA.readBigUInt64BE(), atB.readBigUInt64BE()]).toEqual([500n, 500n]);
    });
  });
}
