import { describe, expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { RevdialServer } from '../../src/revdial/index.ts';
import { next } from '../support/events.ts';
import {
  connectDevice,
  destroyAll,
  echo,
  hubOfTest,
  DIAL_BACK_PATH,
} from '../support/pairs/revdial-hub.ts';
import { rawControl } from '../support/peers/raw-control.ts';
import { readAll, readExactly } from '../support/reading.ts';

const MIB = 1024 * 1024;

test('a dialled device dials back, and what is written to it comes out there', async () => {
  const hub = await hubOfTest();
  const { dialer, listener } = await connectDevice(hub);
  echo(listener);

  const user = await dialer.dial();
  const sent = bytesOf(1, 2 * MIB);
  user.end(sent);

  expect(sha256(await readAll(user))).toBe(sha256(sent));
  expect(await user.close()).toBeNull();
  expect(await listener.close()).toBeNull();
  expect(await dialer.close()).toBeNull();
});

describe('two control connections of one device', () => {
  test('have a dialer each, and the end of one is none of the other', async () => {
    const hub = await hubOfTest();
    const first = await connectDevice(hub);
    const second = await connectDevice(hub);
    echo(first.listener);
    echo(second.listener);
    const came: string[] = [];
    first.listener.on('connection', () => came.push('first'));
    second.listener.on('connection', () => came.push('second'));
    expect(hub.revdial.dialers.size).toBe(2);

    const users = await Promise.all([
      first.dialer.dial(),
      second.dialer.dial(),
      first.dialer.dial(),
    ]);
    for (const user of users) {
      user.write('x');
      await readExactly(user, 1);
    }
    expect(came.toSorted()).toEqual(['first', 'first', 'second']);

    const closed = next(first.dialer, 'close');
    first.control.resetAndDestroy();
    await closed;
    expect([...hub.revdial.dialers]).toEqual([second.dialer]);
    users.push(await second.dialer.dial());
    await destroyAll(users);
  });

  test('may have the same id', async () => {
    const revdial = new RevdialServer({ path: DIAL_BACK_PATH });
    const [one, two] = [rawControl(), rawControl()];
    const dialers = [one, two].map(({ control }) =>
      revdial.createDialer(control, { id: 'device-7' }),
    );
    const dials = Promise.allSettled(dialers.map((dialer) => dialer.dial({ timeout: 60_000 })));
    const { connPath } = await two.take('conn-ready');
    expect(connPath).toContain('?revdial.dialer=device-7&uuid=');
    two.send({ command: 'pickup-failed', connPath, err: 'two' });
    one.peer.destroy();
    one.control.destroy();
    expect(await dials).toMatchObject([
      { reason: { code: 'ECONNRESET' } },
      { reason: { code: 'ECONNREFUSED' } },
    ]);
    await revdial.close();
  });
});
