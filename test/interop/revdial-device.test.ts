import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { connect, type WsConnAdapter } from '../../src/index.ts';
import {
  type DialBack,
  RevdialListener,
  type RevdialListenerOptions,
} from '../../src/revdial/index.ts';
import { bytesOf, sha256 } from '../support/bytes.ts';
import { closeOf, next, record } from '../support/events.ts';
import { PeerProcess } from '../support/programs/peer-process.ts';
import { readAll, readExactly } from '../support/reading.ts';
import {
  CONTROL_PATH,
  destroyAll,
  dialBackTo,
  echo,
  type Hub,
  startHub,
} from '../support/pairs/revdial-hub.ts';
import { GoBuild } from './go-program.ts';

const MIB = 1024 * 1024;
const OWN_END = fileURLToPath(new URL('revdial-process.ts', import.meta.url));
const program = new GoBuild('revdial');

function start(command: string, args: readonly string[]): PeerProcess {
  const peer = new PeerProcess(command, args);
  onTestFinished(() => peer.stop());
  return peer;
}

function startOwn(...args: string[]): PeerProcess {
  return start(process.execPath, ['--import', 'tsx', OWN_END, ...args]);
}

async function startGoServer(): Promise<{ server: PeerProcess; url: string }> {
  const server = start(program.file, ['server']);
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

/** Lets at most `parallel` of the jobs run at once. */
async function inParallel(
  count: number,
  parallel: number,
  job: (index: number) => Promise<void>,
): Promise<void> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count) await job(started++);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

program.describe('a device of ours at a Go server', () => {
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

program.describe('a server of ours with a Go device', () => {
  async function startGoDevice(hub: Hub, mode?: Record<string, unknown>): Promise<PeerProcess> {
    const device = start(program.file, ['device', hub.url]);
    await device.answer('connected');
    if (mode) {
      device.order({ op: 'mode', ...mode });
      await device.answer('mode');
    }
    return device;
  }

  async function startOwnHub(): Promise<Hub> {
    const hub = await startHub();
    onTestFinished(() => hub.stop());
    return hub;
  }

  test('dials it 200 times, 20 at once, and gets its own bytes back on each', async () => {
    const hub = await startOwnHub();
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
    const hub = await startOwnHub();
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
    const hub = await startOwnHub();
    await startGoDevice(hub, { mode: 'greet', bytes: 500_000 });
    const user = await (await hub.nextDialer()).dial();
    expect(await readAll(user)).toHaveLength(500_000);
    expect(await user.close()).toBeNull();
  });

  test('fails each of ten dials with what the device says of it', async () => {
    const hub = await startOwnHub();
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
      const hub = await startOwnHub();
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
    const hub = await startOwnHub();
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
    const device = start(program.file, ['device', `ws://127.0.0.1:${String(port)}`]);
    await server.answer('dialer');
    server.kill();
    await device.answer('control');
  });
});
