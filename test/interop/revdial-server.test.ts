import { expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { closeOf } from '../support/events.ts';
import { inParallel } from '../support/in-parallel.ts';
import { destroyAll, type Hub, hubOfTest } from '../support/pairs/revdial-hub.ts';
import type { PeerProcess } from '../support/programs/peer-process.ts';
import { readAll, readExactly } from '../support/reading.ts';
import { goRevdial, MIB, startGo, startOwn } from './revdial-ends.ts';

goRevdial.describe('a server of ours with a Go device', () => {
  async function startGoDevice(hub: Hub, mode?: Record<string, unknown>): Promise<PeerProcess> {
    const device = startGo('device', hub.url);
    await device.answer('connected');
    if (mode) {
      device.order({ op: 'mode', ...mode });
      await device.answer('mode');
    }
    return device;
  }

  test('dials it 200 times, 20 at once, and gets its own bytes back on each', async () => {
    const hub = await hubOfTest();
    await startGoDevice(hub);
    const dialer = await hub.nextDialer();

    await inParallel(200, 20, async (index) => {
      const user = await dialer.dial();
      const sent = bytesOf(index, 1_000);
      user.write(sent);
      expect((await readExactly(user, sent.length)).equals(sent)).toBe(true);
      expect(await user.close()).toBeNull();
    });
    expect(hub.dialBacks).toHaveLength(200);
  });

  test('carries 8 MiB each way over four connections at once', async () => {
    const hub = await hubOfTest();
    await startGoDevice(hub);
    const dialer = await hub.nextDialer();

    await inParallel(4, 4, async (index) => {
      const user = await dialer.dial();
      const sent = bytesOf(index, 8 * MIB);
      user.write(sent);
      expect(sha256(await readExactly(user, sent.length))).toBe(sha256(sent));
      expect(await user.close()).toBeNull();
    });
  });

  test('takes the end of a Go device, which sends no Close frame, for an end', async () => {
    const hub = await hubOfTest();
    await startGoDevice(hub, { mode: 'greet', bytes: 500_000 });
    const user = await (await hub.nextDialer()).dial();
    expect(await readAll(user)).toHaveLength(500_000);
    expect(await user.close()).toBeNull();
  });

  test('fails each of ten dials with what the device says of it', async () => {
    const hub = await hubOfTest();
    await startGoDevice(hub, { mode: 'refuse' });
    const dialer = await hub.nextDialer();
    const dials = await Promise.allSettled(Array.from({ length: 10 }, () => dialer.dial()));
    for (const dial of dials) {
      expect(dial).toMatchObject({ status: 'rejected', reason: { code: 'ECONNREFUSED' } });
    }
    expect(dialer.closed).toBe(false);
  });

  test.for(['drop-control', 'kill'])(
    'fails what waits at once when the device is lost: %s',
    async (how) => {
      const hub = await hubOfTest();
      const device = await startGoDevice(hub, { mode: 'ignore' });
      const dialer = await hub.nextDialer();
      const dials = Array.from({ length: 5 }, () => dialer.dial());
      const settled = Promise.allSettled(dials);
      for (const _ of dials) await device.answer('ignored');

      if (how === 'kill') device.kill();
      else device.order({ op: how });

      for (const dial of await settled) {
        expect(dial).toMatchObject({ status: 'rejected', reason: { code: 'ECONNRESET' } });
      }
      expect(dialer.closed).toBe(true);
    },
  );

  test('ends the connections of a device that is killed with an error or an end', async () => {
    const hub = await hubOfTest();
    const device = await startGoDevice(hub);
    const dialer = await hub.nextDialer();
    const users = await Promise.all([dialer.dial(), dialer.dial()]);
    const closes = users.map((user) => closeOf(user.resume()));
    device.kill();
    await Promise.all(closes);
    await destroyAll(users.filter((user) => !user.destroyed));
  });

  test('is missed by the device when its process is killed', async () => {
    const server = startOwn('server');
    const { port } = await server.answer('port');
    const device = startGo('device', `ws://127.0.0.1:${String(port)}`);
    await server.answer('dialer');
    server.kill();
    await device.answer('control');
  });
});
