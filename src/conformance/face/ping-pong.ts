import assert from 'node:assert/strict';

import { group } from '../frame/group.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

const ROUNDS = 1_000;

async function serve(t: Trial, end: End, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const ball = await t.readExactly(end, 8);
    ball.writeBigUInt64BE(ball.readBigUInt64BE() + 1n);
    end.write(ball);
  }
}

/** Small messages to and fro: each waits for the one before. */
export const pingPong = group('ping-pong', [], (it) => {
  it('a small message goes to and fro a thousand times', async (t) => {
    const { a, b } = await t.connected();
    const served = serve(t, b, ROUNDS);
    const ball = Buffer.alloc(8);
    for (let i = 0; i < ROUNDS; i++) {
      a.write(ball);
      (await t.readExactly(a, 8)).copy(ball);
      assert.equal(ball.readBigUInt64BE(), BigInt(i + 1));
    }
    await served;
  });

  it('both ends may be the one that begins', async (t) => {
    const { a, b } = await t.connected();
    a.write(Buffer.alloc(8));
    b.write(Buffer.alloc(8));
    await Promise.all([serve(t, a, ROUNDS / 2), serve(t, b, ROUNDS / 2)]);
    const [atA, atB] = await Promise.all([t.readExactly(a, 8), t.readExactly(b, 8)]);
    assert.deepEqual([atA.readBigUInt64BE(), atB.readBigUInt64BE()], [500n, 500n]);
  });
});
