import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import type { WsConnAdapter } from '../../src/index.ts';
import {
  type DialBack,
  RevdialListener,
  type RevdialListenerOptions,
} from '../../src/revdial/index.ts';
import { closeOf, next, record } from '../support/events.ts';
import { connectDevice, hubOfTest } from '../support/pairs/revdial-hub.ts';
import { rawControl } from '../support/peers/raw-control.ts';
import { readAll } from '../support/reading.ts';

describe('a connection that was dialled back', () => {
  test('is kept alive by the device, and costs the server no ping', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub, { keepalive: { interval: 20 } });
    const connection = next(listener, 'connection');
    const user = await dialer.dial();
    let pongs = 0;
    user.on('pong', () => pongs++);
    const [adapter] = (await connection) as [WsConnAdapter];
    for (let i = 0; i < 3; i++) await next(adapter, 'pong');
    expect(pongs).toBe(0);
    expect(user.ws.listenerCount('pong')).toBe(0);
    const closed = closeOf(adapter.resume());
    await user.close();
    await closed;
  });

  test.for([
    [undefined, 1],
    [true, 1],
    [{}, 1],
    [false, 0],
  ] as const)('has a keepalive unless that is off: %j', async ([keepalive, loops]) => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub, { keepalive });
    const connection = next(listener, 'connection');
    const user = await dialer.dial();
    const [adapter] = (await connection) as [WsConnAdapter];
    expect(adapter.ws.listenerCount('pong')).toBe(loops);
    const closed = closeOf(adapter.resume());
    await user.close();
    await closed;
  });

  test('is half closed where both ends are this package', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    listener.on('connection', (adapter) => {
      adapter.allowHalfOpen = true;
      void readAll(adapter).then((asked) => adapter.end(`answer to ${String(asked)}`));
    });
    const user = await dialer.dial();
    user.end('question');
    expect(String(await readAll(user))).toBe('answer to question');
    expect(await user.close()).toBeNull();
  });

  test('and is cut by a device that speaks Close is an error', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    listener.on('connection', (adapter) => {
      adapter.ws.terminate();
    });
    listener.on('connection', (adapter) => adapter.on('error', () => undefined).resume());
    const recording = record((await dialer.dial()).resume());
    await recording.closed;
    expect(recording.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  test.for([
    [undefined, ['end', 'finish', 'close']],
    [false, ['error', 'close']],
  ] as const)(
    'and whose device, which is not this package, ends TCP without Close, tcpEndIsEof %j',
    async ([tcpEndIsEof, events]) => {
      const hub = await hubOfTest({ tcpEndIsEof });
      const device = rawControl();
      const dialer = hub.revdial.createDialer(device.control);
      const dial = dialer.dial();
      const { connPath } = await device.take('conn-ready');
      const ws = new WebSocket(`${hub.url}${connPath}`);
      await next(ws, 'open');
      const recording = record((await dial).resume());
      ws.terminate();
      await recording.closed;
      expect(recording.names).toEqual(events);
    },
  );
});

describe('the options of a listener', () => {
  test.for([
    ['dialBackTimeout', 0, 'ERR_OUT_OF_RANGE'],
    ['backlog', 0, 'ERR_OUT_OF_RANGE'],
    ['backlog', '1', 'ERR_INVALID_ARG_TYPE'],
    ['keepalive', { interval: -1 }, 'ERR_OUT_OF_RANGE'],
    ['keepalive', 5, 'ERR_INVALID_ARG_TYPE'],
    ['keepalive', null, 'ERR_INVALID_ARG_TYPE'],
    ['control', { interval: 0 }, 'ERR_OUT_OF_RANGE'],
  ] as const)('are checked: %s %j', ([name, value, code]) => {
    const { control } = rawControl();
    const options = { [name]: value } as RevdialListenerOptions;
    expect(
      () => new RevdialListener(control, () => Promise.reject(new Error('dialled')), options),
    ).toThrow(expect.objectContaining({ code }));
    expect(control.listenerCount('data')).toBe(0);
    control.destroy();
  });

  test('are no use without a function that dials', () => {
    const { control } = rawControl();
    expect(() => new RevdialListener(control, undefined as unknown as DialBack)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    control.destroy();
  });
});
