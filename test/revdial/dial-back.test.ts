import { describe, expect, test } from 'vitest';

import { connect, type WsConnAdapter } from '../../src/index.ts';
import type { DialBack } from '../../src/revdial/index.ts';
import { closeOf, next, turns } from '../support/events.ts';
import { gate } from '../support/gate.ts';
import {
  connectDevice,
  CONTROL_PATH,
  dialBackTo,
  echo,
  hubOfTest,
} from '../support/pairs/revdial-hub.ts';
import { rawListener } from '../support/peers/raw-control.ts';
import { readExactly } from '../support/reading.ts';

const READY = { command: 'conn-ready', connPath: '/r?revdial.dialer=1&uuid=2' };

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
