import { buffer } from 'node:stream/consumers';

import { expect, onTestFinished, test } from 'vitest';

import { makeSshServer } from '../../../examples/demo/ssh-server.ts';
import { openSshSession, type SshSession } from '../../../examples/demo/ssh-session.ts';
import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { closeOf, next } from '../../support/events.ts';
import { resumablePair, type ResumablePair } from '../../support/pairs/resumable-pair.ts';

const MIB = 1024 * 1024;

async function logIn(): Promise<{ session: SshSession; pair: ResumablePair }> {
  const pair = await resumablePair();
  onTestFinished(() => pair.stop());
  const server = makeSshServer();
  server.serve(pair.b);
  return { session: await openSshSession(pair.a, server), pair };
}

test('four channels of ssh2 carry 2 MiB each there and back while the path is cut', async () => {
  const { session, pair } = await logIn();
  const closed = [closeOf(pair.a), closeOf(pair.b)];
  pair.cutEvery(2 * MIB);
  const bytes = bytesOf(1, 2 * MIB);
  const hashes = Array.from({ length: 4 }, async () => {
    const channel = await session.start('cat');
    channel.end(bytes);
    return sha256(await buffer(channel));
  });
  expect(new Set(await Promise.all(hashes))).toEqual(new Set([sha256(bytes)]));
  expect(pair.lost()).toBeGreaterThan(1);
  expect(await session.close()).toBeNull();
  await Promise.all(closed);
  expect([pair.a.errored, pair.b.errored]).toEqual([null, null]);
});

test('a command that is typed while there is no path is answered when there is one', async () => {
  const { session, pair } = await logIn();
  const lost = next(pair.a, 'disconnect');
  await pair.down();
  await lost;
  const answer = session.run('uname');
  await pair.up();
  expect(await answer).toContain(process.version);
  expect(await session.close()).toBeNull();
});
