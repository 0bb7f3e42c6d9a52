import { execFile } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { connect, createServer, type WsConnAdapter } from '../../../src/index.ts';
import { next, record, turns } from '../../support/events.ts';
import { startLink } from '../../support/links/start-link.ts';
import {
  meetAdapter,
  type MeetOptions,
  meetRaw,
  ROLES,
  serve,
  stopAfterTest,
} from '../../support/pairs/meet.ts';
import { BINARY, PING } from '../../support/peers/frames.ts';
import { rawClient } from '../../support/peers/raw-peer.ts';
import { makeCertificate } from '../../support/programs/certificate.ts';
import { describeWith } from '../../support/programs/program.ts';

/**
 * So short that a limit which counts slowness for silence passes many times while a reader pauses.
 */
const SHORT = 100;
const PAUSE = 8 * SHORT;
const ANSWER = bytesOf(1, 3_000_000);
/** Signs of life that come often, and no verdict on a machine that is slow itself. */
const BRISK = { interval: SHORT, pongTimeout: 100 * SHORT };

const passed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Reads nothing for a while after the first byte, then all; gives the digest and resolves at 'end'.
 */
async function readLate(reader: WsConnAdapter, pause = PAUSE): Promise<string> {
  const chunks: Buffer[] = [];
  reader.on('data', (chunk: Buffer) => chunks.push(chunk));
  reader.pause();
  await passed(pause);
  reader.resume();
  await Promise.race([next(reader, 'end'), next(reader, 'close')]);
  return sha256(chunks);
}

describe.each(ROLES)('a reader that pauses after both ends have ended: a %s', (role) => {
  const wanted = sha256(ANSWER);

  test.each<[string, MeetOptions]>([
    ['keepalive off', { keepalive: false }],
    ['keepalive on', { keepalive: BRISK }],
    ['no half close', { halfClose: false, keepalive: BRISK }],
    ['compression', { perMessageDeflate: true, keepalive: BRISK }],
  ])('gets all of it with %s', async (_name, options) => {
    const { adapter, peer } = await meetAdapter(role, {
      allowHalfOpen: true,
      closeTimeout: SHORT,
      ...options,
    });
    const [mine, others] = [record(adapter), record(peer.resume())];
    const received = readLate(adapter);
    peer.end(ANSWER);
    await next(peer, 'finish');
    adapter.end();
    expect(await received).toBe(wanted);
    await Promise.all([mine.closed, others.closed]);
    expect([...mine.errors, ...others.errors]).toEqual([]);
  });

  test.each<[string, (peer: WsConnAdapter) => void]>([
    [
      'destroySoon()',
      (peer) => {
        peer.end(ANSWER);
        peer.destroySoon();
      },
    ],
    [
      'destroy() with nothing unsent',
      (peer) => {
        peer.write(ANSWER, () => peer.destroy());
      },
    ],
  ])(
    'gets all of it after %s at the other end, which is closed long before',
    async (_name, end) => {
      const options = { closeTimeout: SHORT, keepalive: BRISK };
      const { adapter, peer } = await meetAdapter(role, options);
      const [mine, others] = [record(adapter), record(peer)];
      const received = readLate(adapter, PAUSE);
      let readAt = Infinity;
      adapter.once('data', () => (readAt = performance.now()));
      end(peer);
      await others.closed;
      expect(performance.now()).toBeLessThan(readAt);
      expect(peer.ws.readyState).not.toBe(peer.ws.CLOSED);
      expect(await received).toBe(wanted);
      await mine.closed;
      expect([...mine.errors, ...others.errors]).toEqual([]);
      if (peer.ws.readyState !== peer.ws.CLOSED) await next(peer.ws, 'close');
      await turns(2);
      expect(peer.ws.eventNames()).toEqual([]);
    },
  );
});

test('a reader that pauses for longer than the default closeTimeout gets all of it, with all defaults', async () => {
  const { adapter, peer } = await meetAdapter('client', { allowHalfOpen: true, keepalive: true });
  const [mine, others] = [record(adapter), record(peer.resume())];
  const received = readLate(adapter, 6_500);
  peer.end(ANSWER);
  await next(peer, 'finish');
  adapter.end();
  expect(await received).toBe(sha256(ANSWER));
  await Promise.all([mine.closed, others.closed]);
  expect([...mine.errors, ...others.errors]).toEqual([]);
});

test('an HTTP answer with Connection: close is read whole by a client that takes its time', async () => {
  const web = http.createServer((_request, response) => {
    response.setHeader('Connection', 'close');
    response.end(ANSWER);
  });
  const { url, accepted } = await serve({ closeTimeout: SHORT });
  void accepted.then((adapter) => web.emit('connection', adapter));
  const socket = connect(url, { closeTimeout: SHORT, keepalive: BRISK });
  stopAfterTest(socket);
  const request = http.get({ createConnection: () => socket, path: '/' });
  const [response] = (await next(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.pause();
  await passed(PAUSE);
  response.resume();
  await next(response, 'close');
  expect(response.complete).toBe(true);
  expect(sha256(chunks)).toBe(sha256(ANSWER));
});

describe('a socket that lingers', () => {
  /** A stream of a server that is done, and whose peer has not ended. */
  async function lingering(options: MeetOptions = {}) {
    const { adapter, peer } = await meetRaw('server', { closeTimeout: SHORT, ...options });
    const recording = record(adapter);
    adapter.destroy();
    await recording.closed;
    expect(recording.names).toEqual(['close']);
    return { adapter, peer };
  }

  test('throws away what still comes, and answers nothing', async () => {
    const { adapter, peer } = await lingering();
    peer.send(BINARY, Buffer.alloc(100_000));
    peer.send(PING, 'still there?');
    peer.socket.end();
    await next(adapter.ws, 'close');
    expect(await peer.tcpEnd).toBe('end');
    expect(peer.frames.map(({ opcode }) => opcode)).toEqual([8]);
  });

  test('survives a bad frame without an uncaught exception', async () => {
    const { adapter, peer } = await lingering();
    const gone = next(adapter.ws, 'close');
    peer.send(BINARY, 'x', { reserved: 7 });
    peer.socket.end();
    await gone;
  });

  test('is reset when the peer sends on and on', async () => {
    const { adapter, peer } = await lingering({ maxPayload: 4_194_304 });
    const gone = next(adapter.ws, 'close');
    let sent = 0;
    const piece = Buffer.alloc(1_048_576);
    const send = (): void => {
      if (peer.socket.destroyed) return;
      peer.send(BINARY, piece);
      sent += piece.length;
      if (sent < 200 * piece.length) setImmediate(send);
    };
    const reset = next(peer.socket, 'error');
    send();
    expect(['ECONNRESET', 'EPIPE']).toContain(((await reset)[0] as NodeJS.ErrnoException).code);
    await gone;
    expect(sent).toBeGreaterThanOrEqual(64 * piece.length);
  });

  test('counts as a connection of its server, and gives way to a new one', async () => {
    const { url, port, server } = await serve({ closeTimeout: SHORT, maxConnections: 2 });
    const connection = next(server, 'connection');
    const first = await rawClient(port);
    const [one] = (await connection) as [WsConnAdapter];
    expect(server.connections).toBe(1);
    one.destroy();
    await next(one, 'close');
    expect(server.connections).toBe(1);
    const dialled = [1, 2].map(() => connect(url));
    stopAfterTest(...dialled);
    await Promise.all(dialled.map((socket) => next(socket, 'connect')));
    // The place of the one that lingered is the second's.
    expect(server.connections).toBe(2);
    expect(one.ws.readyState).toBe(one.ws.CLOSED);
    const third = connect(url);
    expect((await next(third, 'error'))[0]).toMatchObject({ statusCode: 503 });
    first.peer.socket.destroy();
  });

  test('gets closeTimeout when its server closes, and is cut then', async () => {
    const { port, server } = await serve({ closeTimeout: SHORT });
    const connection = next(server, 'connection');
    const { peer } = await rawClient(port);
    const [adapter] = (await connection) as [WsConnAdapter];
    adapter.destroy();
    await next(adapter, 'close');
    let closed = false;
    const closing = server.close().then(() => (closed = true));
    await turns(5);
    expect(closed).toBe(false);
    await closing;
    expect(server.connections).toBe(0);
    expect(adapter.ws.readyState).toBe(adapter.ws.CLOSED);
    peer.socket.destroy();
  });

  test('keeps the process alive as the stream did: until the peer has ended, or not at all after unref()', async () => {
    const child = fileURLToPath(
      new URL('../../support/children/lingering-child.ts', import.meta.url),
    );
    const outlived: Record<string, boolean> = {};
    for (const task of ['ref', 'unref']) {
      const { port, server } = await serve({});
      const connection = next(server, 'connection');
      const run = promisify(execFile)(process.execPath, [
        '--import',
        'tsx',
        child,
        String(port),
        task,
      ]);
      const [adapter] = (await connection) as [WsConnAdapter];
      let exited = false;
      const exit = run.then(() => (exited = true));
      // A reader that has not read the Close yet: the process has closed its stream by then.
      adapter.pause();
      adapter.ws.pause();
      await Promise.race([exit, passed(2_000)]);
      outlived[task] = !exited;
      adapter.ws.resume();
      adapter.resume();
      await exit;
    }
    expect(outlived).toEqual({ ref: true, unref: false });
  });
});

test('close() at its limit cuts and does not linger', async () => {
  const { adapter, peer } = await meetRaw('client', { closeTimeout: SHORT });
  adapter.on('error', () => undefined);
  expect(await adapter.close()).toMatchObject({ code: 'ETIMEDOUT' });
  expect(adapter.ws.readyState).toBe(adapter.ws.CLOSED);
  await peer.tcpEnd;
});

describeWith('openssl', 'over TLS', (openssl) => {
  const NAME = 'gateway.internal';

  /** Two adapters over wss, of which the client reads. */
  async function meetSecurely(
    options: MeetOptions,
  ): Promise<{ reader: WsConnAdapter; writer: WsConnAdapter }> {
    const certificate = makeCertificate(openssl, NAME);
    const web = https.createServer(certificate).listen(0, '127.0.0.1');
    const server = createServer({ ...options, server: web });
    onTestFinished(async () => {
      await server.close();
      await new Promise((resolve) => web.close(resolve));
    });
    await next(web, 'listening');
    const connection = next(server, 'connection');
    const { port } = web.address() as AddressInfo;
    const reader = connect(`wss://127.0.0.1:${String(port)}`, {
      ...options,
      ca: certificate.cert,
      servername: NAME,
    });
    await next(reader, 'connect');
    const [writer] = (await connection) as [WsConnAdapter];
    stopAfterTest(reader, writer);
    return { reader, writer };
  }

  test.each(['both have ended', 'destroySoon()'])(
    'a slow reader gets all of it after %s',
    async (how) => {
      const options = { allowHalfOpen: true, closeTimeout: SHORT, keepalive: BRISK };
      const { reader, writer } = await meetSecurely(options);
      const [mine, others] = [record(reader), record(writer.resume())];
      const received = readLate(reader);
      writer.end(ANSWER);
      if (how === 'both have ended') {
        await next(writer, 'finish');
        reader.end();
      } else {
        writer.destroySoon();
      }
      expect(await received).toBe(sha256(ANSWER));
      reader.end();
      await Promise.all([mine.closed, others.closed]);
      expect([...mine.errors, ...others.errors]).toEqual([]);
    },
  );
});

test.each(['both have ended', 'destroySoon()'])(
  'a slow link carries all of it after %s, for many times closeTimeout',
  async (how) => {
    const options = { allowHalfOpen: true, closeTimeout: SHORT, keepalive: BRISK };
    const { port, accepted } = await serve(options);
    const link = await startLink(port, { rate: 250_000, delay: 20 });
    const reader = connect(`ws://127.0.0.1:${String(link.port)}`, options);
    await next(reader, 'connect');
    const writer = await accepted;
    stopAfterTest(reader, writer);
    const [mine, others] = [record(reader), record(writer.resume())];
    const chunks: Buffer[] = [];
    reader.on('data', (chunk: Buffer) => chunks.push(chunk));
    const bytes = ANSWER.subarray(0, 500_000);
    writer.end(bytes);
    if (how === 'both have ended') reader.end();
    else writer.destroySoon();
    await next(reader, 'end');
    reader.end();
    expect(sha256(chunks)).toBe(sha256(bytes));
    await Promise.all([mine.closed, others.closed]);
    expect([...mine.errors, ...others.errors]).toEqual([]);
  },
);
