import { buffer } from 'node:stream/consumers';

import { describe, expect, onTestFinished, test } from 'vitest';

import { makeSshServer } from '../../examples/demo/ssh-server.ts';
import { openSshSession, type SshSession } from '../../examples/demo/ssh-session.ts';
import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import type { WsConnAdapter } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { adapterPair } from '../support/pairs/pairs.ts';

const MIB = 1024 * 1024;

async function logIn(): Promise<{ session: SshSession; adapters: WsConnAdapter[] }> {
  const pair = await adapterPair();
  onTestFinished(() => pair.stop());
  const { a, b } = pair;
  const server = makeSshServer();
  server.serve(b);
  return { session: await openSshSession(a, server), adapters: [a, b] };
}

describe('ssh2 over an adapter, both ends', () => {
  test('ten channels at once carry 2 MiB each there and back, and the session ends in order', async () => {
    const { session, adapters } = await logIn();
    const closed = Promise.all(adapters.map(closeOf));
    const bytes = bytesOf(1, 2 * MIB);
    const hashes = Array.from({ length: 10 }, async () => {
      const channel = await session.start('cat');
      channel.end(bytes);
      return sha256(await buffer(channel));
    });
    expect(new Set(await Promise.all(hashes))).toEqual(new Set([sha256(bytes)]));
    expect(await session.close()).toBeNull();
    await closed;
    expect(adapters.map(({ errored }) => errored)).toEqual([null, null]);
  });

  test('a cut is an error of the session, with its code', async () => {
    const { session, adapters } = await logIn();
    adapters[1]?.resetAndDestroy();
    expect(await session.ended).toMatchObject({ code: 'ECONNRESET' });
  });
});
