import { getEventListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Duplex, duplexPair } from 'node:stream';

import { describe, expect, test } from 'vitest';

import type { WsConnAdapter } from '../../src/index.ts';
import { RevdialServer } from '../../src/revdial/index.ts';
import { MessageReader } from '../../src/revdial/messages.ts';
import { next, turns } from '../support/events.ts';
import { gate } from '../support/gate.ts';
import {
  connectDevice,
  destroyAll,
  dialBackTo,
  echo,
  hubOfTest,
  DIAL_BACK_PATH,
} from '../support/pairs/revdial-hub.ts';
import { rawControl } from '../support/peers/raw-control.ts';
import { readExactly } from '../support/reading.ts';

test('each of 50 dials in one tick gets the connection that was dialled for it', async () => {
  const hub = await hubOfTest();
  const asked: string[] = [];
  const { dialer, listener } = await connectDevice(hub, {}, (connPath, signal) => {
    asked.push(connPath);
    const adapter = dialBackTo(hub.url)(connPath, signal) as WsConnAdapter;
    adapter.write(connPath);
    return adapter;
  });
  listener.on('connection', (adapter) => adapter.on('error', () => undefined).resume());

  const users = await Promise.all(Array.from({ length: 50 }, () => dialer.dial()));

  expect(new Set(asked).size).toBe(50);
  // Dials are announced in the order of their calls.
  for (const [index, user] of users.entries()) {
    const expected = String(asked[index]);
    expect((await readExactly(user, expected.length)).toString()).toBe(expected);
  }
  await destroyAll(users);
});

test('a device that dials back while it is being asked is expected already', async () => {
  const revdial = new RevdialServer({ path: DIAL_BACK_PATH });
  const reader = new MessageReader();
  const [client, socket] = duplexPair();
  const control = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, callback) => {
      for (const { command, connPath } of reader.read(chunk)) {
        if (command !== 'conn-ready') continue;
        const headers = {
          upgrade: 'websocket',
          connection: 'Upgrade',
          'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          'sec-websocket-version': '13',
        };
        const request = { url: connPath, method: 'GET', headers } as unknown as IncomingMessage;
        revdial.handleUpgrade(request, socket, Buffer.alloc(0));
      }
      callback();
    },
  });
  const dialer = revdial.createDialer(control);

  const user = await dialer.dial();

  expect(String(await next(client, 'data'))).toMatch(/^HTTP\/1\.1 101 /);
  const gone = next(user.ws, 'close');
  client.end();
  await destroyAll([user]);
  await gone;
  await revdial.close();
});

describe('a dial back that comes when its dial has given up', () => {
  test.for(['signal', 'timeout'])('is refused and leaves nothing: %s', async (how) => {
    const hub = await hubOfTest();
    const dialling = gate();
    const { dialer, listener } = await connectDevice(hub, {}, async (connPath, signal) => {
      await dialling.opened;
      return dialBackTo(hub.url)(connPath, signal);
    });
    const failed = next(listener, 'dialBackFailed');
    const abort = new AbortController();

    const dial = dialer.dial(how === 'signal' ? { signal: abort.signal } : { timeout: 50 });
    if (how === 'signal') abort.abort(new Error('enough'));

    await expect(dial).rejects.toMatchObject(
      how === 'signal'
        ? { name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } }
        : { code: 'ETIMEDOUT' },
    );
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    dialling.open();
    expect(await failed).toMatchObject([
      { code: 'ECONNREFUSED', statusCode: 400 },
      expect.any(String),
    ]);
    expect(hub.dialBacks).toHaveLength(1);
    // The failure that the device reports is of no dial that waits.
    const second = dialer.dial();
    await destroyAll([await second]);
    expect(dialer.closed).toBe(false);
  });
});

describe('dials that wait', () => {
  test('fail all at once with ECONNRESET when the control connection is cut', async () => {
    const hub = await hubOfTest();
    const pending: AbortSignal[] = [];
    const { dialer, control, listener } = await connectDevice(hub, {}, (_connPath, signal) => {
      pending.push(signal);
      return new Promise<never>(() => undefined);
    });
    const dials = Array.from({ length: 20 }, () => dialer.dial({ timeout: 60_000 }));
    const settled = Promise.allSettled(dials);
    while (pending.length < 20) await turns(1);

    control.resetAndDestroy();

    for (const dial of await settled) {
      expect(dial).toMatchObject({ status: 'rejected', reason: { code: 'ECONNRESET' } });
    }
    expect(await dialer.close()).toMatchObject({ code: 'ECONNRESET' });
    await listener.close();
    expect(pending.every((signal) => signal.aborted)).toBe(true);
  });

  test('fail with ECONNRESET when the dialer is closed, in the same turn', async () => {
    const revdial = new RevdialServer({ path: DIAL_BACK_PATH });
    const dialer = revdial.createDialer(rawControl().control);
    const dials = Array.from({ length: 20 }, () => dialer.dial());
    const settled = Promise.allSettled(dials);

    const closed = dialer.close();

    for (const dial of await settled) {
      expect(dial).toMatchObject({ status: 'rejected', reason: { code: 'ECONNRESET' } });
    }
    await expect(dialer.dial()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await closed).toBeNull();
  });

  test('are failed by pickup-failed only where it names them', async () => {
    const revdial = new RevdialServer({ path: DIAL_BACK_PATH });
    const device = rawControl();
    const other = revdial.createDialer(rawControl().control);
    const dialer = revdial.createDialer(device.control);
    const outcomes: string[] = [];
    const dials = ['first', 'second', 'third'].map((name) =>
      dialer.dial().catch((error: unknown) => {
        outcomes.push(`${name}: ${(error as Error).message}`);
      }),
    );
    const paths = [];
    for (const _ of dials) paths.push((await device.take('conn-ready')).connPath);
    const fail = (connPath: string | undefined, err = 'no'): void => {
      device.send({ command: 'pickup-failed', connPath: connPath ?? '', err });
    };

    fail('');
    fail('/ssh/revdial?uuid=none');
    fail(paths[0]?.replace(/uuid=.*/, 'uuid=none'));
    fail(paths[0]?.replace(dialer.id, other.id));
    fail(paths[1], 'the\nsecond');
    fail(paths[1], 'again');
    await turns(5);

    expect(outcomes).toEqual([
      expect.stringMatching(/^second: .*"the\\nsecond".*\(ECONNREFUSED\)$/),
    ]);
    await revdial.close();
    await Promise.all(dials);
  });
});

describe('an abort', () => {
  test('before the dial asks for nothing', async () => {
    const revdial = new RevdialServer({ path: DIAL_BACK_PATH });
    const device = rawControl();
    const dialer = revdial.createDialer(device.control);
    await expect(dialer.dial({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    await revdial.close();
    expect(device.commands).toEqual(['keep-alive']);
  });

  test('in any turn between the call and the connection leaves nothing', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    echo(listener);
    let made = 0;
    for (let after = 0; made < 3; after++) {
      const abort = new AbortController();
      const dial = dialer.dial({ signal: abort.signal });
      const settled = dial.then(
        (user) => user,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'ABORT_ERR' });
          return null;
        },
      );
      await turns(after);
      abort.abort();
      const user = await settled;
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
      if (!user) continue;
      made++;
      // A connection that was made is not the signal's any more.
      user.write('still here');
      expect(String(await readExactly(user, 10))).toBe('still here');
      await user.close();
    }
  });
});
