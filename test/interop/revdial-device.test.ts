import { expect, onTestFinished, test } from 'vitest';

import { connect, type WsConnAdapter } from '../../src/index.ts';
import {
  type DialBack,
  RevdialListener,
  type RevdialListenerOptions,
} from '../../src/revdial/index.ts';
import { closeOf, next, record } from '../support/events.ts';
import { CONTROL_PATH, dialBackTo, echo } from '../support/pairs/revdial-hub.ts';
import type { PeerProcess } from '../support/programs/peer-process.ts';
import { goRevdial, MIB, startGo, startOwn } from './revdial-ends.ts';

async function startGoServer(): Promise<{ server: PeerProcess; url: string }> {
  const server = startGo('server');
  const { port } = await server.answer('port');
  return { server, url: `ws://127.0.0.1:${String(port)}` };
}

/** A Go server does not speak Close, and whoever runs the device knows that. */
const GO_SERVER = { tcpEndIsEof: true };

async function listenAt(
  url: string,
  options: RevdialListenerOptions = {},
  dialBack: DialBack = dialBackTo(url, GO_SERVER),
): Promise<RevdialListener> {
  // A Go server that waits to hand a failure to some dial reads nothing, and does not answer a
  // Close frame.
  const control = connect(`${url}${CONTROL_PATH}`, { closeTimeout: 500 });
  const listener = new RevdialListener(control, dialBack, options);
  onTestFinished(async () => {
    await listener.close();
  });
  await next(control, 'connect');
  return listener;
}

goRevdial.describe('a device of ours at a Go server', () => {
  test('is dialled 200 times, 20 at once, and no connection of it fails', async () => {
    const { server, url } = await startGoServer();
    const listener = await listenAt(url);
    const ends: Promise<unknown>[] = [];
    listener.on('connection', (adapter) => {
      const recording = record(adapter);
      ends.push(recording.closed.then(() => recording.errors[0]));
    });
    echo(listener);

    server.order({ op: 'dial', count: 200, parallel: 20, bytes: 1_000 });

    expect(await server.answer('ok')).toEqual({ ok: 200, failures: [] });
    expect(new Set(await Promise.all(ends))).toEqual(new Set([undefined]));
    expect(ends).toHaveLength(200);
  });

  test('carries 8 MiB each way over four connections at once', async () => {
    const { server, url } = await startGoServer();
    echo(await listenAt(url));

    server.order({ op: 'dial', count: 4, parallel: 4, bytes: 8 * MIB });

    expect(await server.answer('ok')).toEqual({ ok: 4, failures: [] });
  });

  test('tells why it could not dial back', async () => {
    const { server, url } = await startGoServer();
    const listener = await listenAt(url, {}, () =>
      Promise.reject(new Error('no "way" out & back')),
    );
    const failed = next(listener, 'dialBackFailed');

    server.order({ op: 'dial', count: 1, parallel: 1, bytes: 1 });

    expect(await server.answer('ok')).toEqual({
      ok: 0,
      failures: ['pick-up failed: no "way" out & back'],
    });
    expect(String((await failed)[0])).toContain('no "way" out & back');
  });

  test('refuses to dial another host', async () => {
    const { server, url } = await startGoServer();
    const listener = await listenAt(url);
    const failed = next(listener, 'dialBackFailed');
    server.order({ op: 'line', line: '{"command":"conn-ready","connPath":"//example.org/x"}\n' });
    expect((await failed)[0]).toMatchObject({ code: 'EPROTO' });
    expect(listener.closed).toBe(false);
  });

  test('notices by its keepalive that a Go server has accepted a connection and forgotten it', async () => {
    const { server, url } = await startGoServer();
    const paths: string[] = [];
    const listener = await listenAt(
      url,
      { keepalive: { interval: 100, pongTimeout: 100 } },
      (connPath, signal) => {
        paths.push(connPath);
        return dialBackTo(url, GO_SERVER)(connPath, signal);
      },
    );
    echo(listener);
    server.order({ op: 'dial', count: 1, parallel: 1, bytes: 1 });
    await server.answer('ok');
    const connection = next(listener, 'connection');

    const connPath = String(paths[0]).replace(/uuid=.*/, 'uuid=of-no-dial');
    server.order({ op: 'line', line: `${JSON.stringify({ command: 'conn-ready', connPath })}\n` });

    const [forgotten] = (await connection) as [WsConnAdapter];
    await closeOf(forgotten);
    expect(forgotten.errored).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test.for(['drop-control', 'kill'])(
    'learns at once that the control connection is lost: %s',
    async (how) => {
      const { server, url } = await startGoServer();
      const listener = await listenAt(url);

      if (how === 'kill') server.kill();
      else server.order({ op: how });

      await next(listener, 'close');
      expect(await listener.close()).toMatchObject({ code: 'ECONNRESET' });
    },
  );

  test('is missed by the server when it closes, and when its process is killed', async () => {
    const { server, url } = await startGoServer();
    const listener = await listenAt(url);
    expect(await listener.close()).toBeNull();
    await server.answer('control');

    const device = startOwn('device', url);
    await device.answer('connected');
    server.order({ op: 'dial', count: 1, parallel: 1, bytes: 10 });
    expect(await server.answer('ok')).toEqual({ ok: 1, failures: [] });
    device.kill();
    await server.answer('control');
  });
});
