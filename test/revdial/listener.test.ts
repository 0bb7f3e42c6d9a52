import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { connect, type WsConnAdapter } from '../../src/index.ts';
import {
  type DialBack,
  RevdialListener,
  type RevdialListenerOptions,
} from '../../src/revdial/index.ts';
import { rawControl } from '../support/peers/raw-control.ts';
import { closeOf, next, record, turns } from '../support/events.ts';
import { gate } from '../support/gate.ts';
import { readAll, readExactly } from '../support/reading.ts';
import {
  connectDevice,
  CONTROL_PATH,
  destroyAll,
  dialBackTo,
  echo,
  type Hub,
  startHub,
} from '../support/pairs/revdial-hub.ts';

const READY = { command: 'conn-ready', connPath: '/r?revdial.dialer=1&uuid=2' };

async function hubOfTest(): Promise<Hub> {
  const hub = await startHub();
  onTestFinished(() => hub.stop());
  return hub;
}

/** Makes a listener whose server is the test itself. */
function rawListener(dialBack: DialBack, options?: RevdialListenerOptions) {
  const server = rawControl();
  const listener = new RevdialListener(server.control, dialBack, options);
  onTestFinished(async () => {
    await listener.close();
  });
  return { server, listener };
}

/** Calls what answers a `conn-ready` wrongly: not what the types allow. */
function wrong(dialBack: () => unknown): DialBack {
  return dialBack as DialBack;
}

describe('a path that is none', () => {
  test.for([
    '//example.org/r?uuid=2',
    'wss://example.org/r',
    '/\\example.org',
    '/\t/example.org',
    'r',
    '/a b',
    '/r#x',
  ])('is not dialled, and the server is told: %j', async (connPath) => {
    let dialled = 0;
    const { server, listener } = rawListener(() =>
      Promise.reject(new Error(`dialled ${String(++dialled)}`)),
    );
    const failed = next(listener, 'dialBackFailed');
    server.send({ ...READY, connPath });
    expect(await server.take('pickup-failed')).toMatchObject({ connPath });
    expect(await failed).toMatchObject([{ code: 'EPROTO' }, connPath]);
    expect(dialled).toBe(0);
    expect(listener.closed).toBe(false);
  });

  test('is not dialled where there is no path at all', async () => {
    const { server } = rawListener(() => Promise.reject(new Error('dialled')));
    server.send({ command: 'conn-ready' });
    expect(await server.take('pickup-failed')).toMatchObject({
      connPath: '',
      err: expect.stringContaining('no path') as string,
    });
  });

  test('that is too long for an answer gets none, and the control connection lives', async () => {
    const { server, listener } = rawListener(() => Promise.reject(new Error('dialled')));
    const failed = next(listener, 'dialBackFailed');
    // Each of these bytes is no UTF-8, and comes back as three.
    server.peer.write(
      Buffer.from(`{"command":"conn-ready","connPath":"${'\u00ff'.repeat(2_000)}"}\n`, 'latin1'),
    );
    await failed;
    server.send(READY);
    expect(await server.take('pickup-failed')).toMatchObject({ connPath: READY.connPath });
  });
});

describe('a dial back that fails', () => {
  const throws = wrong(() => {
    throw new Error('thrown');
  });
  const cases: readonly (readonly [string, DialBack, string])[] = [
    ['by a throw', throws, 'thrown'],
    ['by a rejection', () => Promise.reject(new Error('rejected')), 'rejected'],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- others do.
    ['by a rejection that is no Error', wrong(() => Promise.reject('a word')), 'a word'],
    ['with what is no adapter', wrong(() => ({})), 'a WsConnAdapter'],
    ['with nothing', wrong(() => undefined), 'a WsConnAdapter'],
    ['by a refused connection', () => connect('ws://127.0.0.1:1'), 'ECONNREFUSED'],
  ];
  test.for(cases)('%s is told to the server and to who listens', async ([, dialBack, said]) => {
    const { server, listener } = rawListener(dialBack);
    const failed = next(listener, 'dialBackFailed');
    server.send(READY);
    const message = await server.take('pickup-failed');
    expect(message.connPath).toBe(READY.connPath);
    expect(message.err).toContain(said);
    const [error, connPath] = await failed;
    expect((error as Error).message).toContain(said);
    expect(connPath).toBe(READY.connPath);
    expect(listener.closed).toBe(false);
  });

  test('because the adapter was destroyed already is told', async () => {
    const hub = await hubOfTest();
    const { server } = rawListener(async () => {
      const adapter = connect(`${hub.url}${CONTROL_PATH}`);
      await adapter.close();
      return adapter;
    });
    server.send(READY);
    expect((await server.take('pickup-failed')).err).toContain('ECONNRESET');
  });
});

describe('the signal of a dial back', () => {
  test('fires when the listener closes, and what comes later is destroyed', async () => {
    const hub = await hubOfTest();
    const late = gate();
    const adapters: WsConnAdapter[] = [];
    const signals: AbortSignal[] = [];
    const { server, listener } = rawListener(async (_connPath, signal) => {
      signals.push(signal);
      await late.opened;
      const adapter = connect(`${hub.url}${CONTROL_PATH}`);
      adapters.push(adapter);
      return adapter;
    });
    server.send(READY);
    while (signals.length === 0) await turns(1);

    expect(await listener.close()).toBeNull();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    late.open();
    while (adapters.length === 0) await turns(1);
    await Promise.all(adapters.map((adapter) => closeOf(adapter)));
    expect(adapters.map(({ errored }) => errored)).toEqual([null]);
    expect(server.commands).toEqual(['keep-alive']);
  });

  test('fires when the time is over, also where the dial does not listen to it', async () => {
    const hub = await hubOfTest();
    let adapter: WsConnAdapter | undefined;
    // A server that takes the connection and never answers the handshake.
    hub.http.removeAllListeners('upgrade').on('upgrade', (_request, socket) => socket.resume());
    const { server } = rawListener(() => (adapter = connect(hub.url)), { dialBackTimeout: 50 });
    server.send(READY);
    expect((await server.take('pickup-failed')).err).toContain('ETIMEDOUT');
    expect(adapter?.destroyed).toBe(true);
  });

  test('never fires once the connection is there', async () => {
    const hub = await hubOfTest();
    const signals: AbortSignal[] = [];
    const { dialer, listener } = await connectDevice(
      hub,
      { dialBackTimeout: 300 },
      (connPath, signal) => {
        signals.push(signal);
        return dialBackTo(hub.url)(connPath, signal);
      },
    );
    echo(listener);
    const connected = next(listener, 'connection');
    const user = await dialer.dial();
    await connected;
    await listener.close();
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    user.write('x');
    await readExactly(user, 1);
    await user.close();
  });
});

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
      const hub = await startHub({ tcpEndIsEof });
      onTestFinished(() => hub.stop());
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
      () =>
        new RevdialListener(
          control,
          wrong(() => undefined),
          options,
        ),
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
