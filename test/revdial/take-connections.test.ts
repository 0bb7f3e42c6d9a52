import { describe, expect, test } from 'vitest';

import { connect, type WsConnAdapter } from '../../src/index.ts';
import { closeOf, turns } from '../support/events.ts';
import { connectDevice, destroyAll, echo, hubOfTest } from '../support/pairs/revdial-hub.ts';
import { rawListener } from '../support/peers/raw-control.ts';
import { readAll, readExactly } from '../support/reading.ts';

describe('for await', () => {
  test('gives the connections in the order they came, and ends with the control connection', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    const users = await Promise.all([dialer.dial(), dialer.dial(), dialer.dial()]);
    let taken = 0;
    for await (const adapter of listener) {
      adapter.end(String(++taken));
      if (taken === 3) void dialer.close();
    }
    expect(taken).toBe(3);
    expect((await Promise.all(users.map((user) => readAll(user)))).map(String).toSorted()).toEqual([
      '1',
      '2',
      '3',
    ]);
    await destroyAll(users);
  });

  test('throws the error of the control connection, in every loop', async () => {
    const { server, listener } = rawListener(() => Promise.reject(new Error('dialled')));
    const loop = async (): Promise<void> => {
      for await (const _ of listener) expect.unreachable();
    };
    const loops = Promise.allSettled([loop(), loop()]);
    server.send('bad\n');
    expect(await loops).toMatchObject([
      { reason: { code: 'EPROTO' } },
      { reason: { code: 'EPROTO' } },
    ]);
    await expect(loop()).rejects.toMatchObject({ code: 'EPROTO' });
  });

  test('closes the listener when the loop is left', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    const dialled = dialer.dial();
    const received = dialled.then(readAll);
    for await (const adapter of listener) {
      adapter.end();
      break;
    }
    expect(listener.closed).toBe(true);
    expect(await received).toHaveLength(0);
    await (await dialled).close();
  });

  test('gives nothing that somebody took by the event', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    echo(listener);
    const loop = (async () => {
      for await (const _ of listener) expect.unreachable();
    })();
    const user = await dialer.dial();
    user.write('x');
    await readExactly(user, 1);
    await user.close();
    await listener.close();
    await loop;
  });
});

describe('connections that nobody takes', () => {
  test('are closed with the listener', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    const users = await Promise.all([dialer.dial(), dialer.dial()]);
    const closes = users.map((user) => closeOf(user.resume()));
    await turns(5);
    await listener.close();
    await Promise.all(closes);
  });

  test('are kept up to the backlog, and further dials are refused', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub, { backlog: 1 });
    const user = await dialer.dial();
    await turns(10);
    await expect(dialer.dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const closed = closeOf(user.resume());
    await listener.close();
    await closed;
  });

  test('are kept up to the backlog when many dials come at once, too', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub, { backlog: 2 });
    const dials = await Promise.allSettled(Array.from({ length: 20 }, () => dialer.dial()));
    const users = dials.flatMap((dial) => (dial.status === 'fulfilled' ? [dial.value] : []));
    expect(users).toHaveLength(2);
    const closes = users.map((user) => closeOf(user.resume()));
    await listener.close();
    await Promise.all(closes);
  });

  test('and that have died meanwhile are not given to anybody', async () => {
    const hub = await hubOfTest();
    const made: WsConnAdapter[] = [];
    const { dialer, listener } = await connectDevice(hub, {}, (connPath) => {
      const adapter = connect(`${hub.url}${connPath}`);
      made.push(adapter);
      return adapter;
    });
    const first = await dialer.dial();
    first.resetAndDestroy();
    while (!made[0]?.destroyed) await turns(1);
    const second = await dialer.dial();
    second.end('second');
    for await (const adapter of listener) {
      expect(String(await readAll(adapter))).toBe('second');
      break;
    }
    await closeOf(second.resume());
  });
});
