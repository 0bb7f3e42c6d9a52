/** Clients that are as slow as they can, to keep what they hold for as long as they can. */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createServer, type CreateServerOptions, type WsConnServer } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { ATTACKER, attack, dialFrom, drip, expectEcho, honest } from '../support/peers/flood.ts';
import { BINARY, frame } from '../support/peers/frames.ts';
import { listenForTest } from '../support/peers/listen.ts';
import { handshakeRequest } from '../support/peers/raw-peer.ts';
import { makeCertificate } from '../support/programs/certificate.ts';

/** Attackers at a time: more than the servers take without a request. */
const MANY = 60;
const MOST_PENDING = 20;

function echoing(options: CreateServerOptions): WsConnServer {
  const server = createServer({ maxPendingConnections: MOST_PENDING, ...options });
  server.on('connection', (adapter) => adapter.on('error', () => undefined).pipe(adapter));
  onTestFinished(() => server.close());
  return server;
}

async function listening(options: CreateServerOptions): Promise<{ port: number; url: string }> {
  const server = echoing(options).listen(0, '127.0.0.1');
  await next(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, url: `ws://127.0.0.1:${String(port)}` };
}

/** The bytes of a text one by one, and then more header lines without end. */
function* slowly(text: string): Generator<string, void, void> {
  yield* text;
  for (;;) yield* 'X-More: and more\r\n';
}

describe('a request that drips', () => {
  test('is ended at handshakeTimeout, and honest clients get in meanwhile', async () => {
    const { port, url } = await listening({ handshakeTimeout: 300, maxPendingConnections: 1_000 });
    const head = handshakeRequest().replace(/\r\n\r\n$/, '\r\n');
    const attackers = Array.from({ length: MANY }, async () => {
      const socket = await dialFrom(ATTACKER, port);
      let answer = '';
      socket.on('data', (part: Buffer) => (answer += part.toString()));
      await drip(socket, slowly(head));
      return answer;
    });
    await expectEcho(await honest(url));
    for (const answer of await Promise.all(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 408|^$/);
    await expectEcho(await honest(url));
  });

  test('gives way to newer ones long before, where there are many', async () => {
    const { port, url } = await listening({ handshakeTimeout: 600_000 });
    const first = await Promise.all(Array.from({ length: MANY }, () => dialFrom(ATTACKER, port)));
    const ends = first.map((socket) => drip(socket.resume(), slowly('GET / HTTP/1.1\r\n')));
    for (let i = 0; i < 5; i++) await expectEcho(await honest(url));
    await Promise.race(ends);
    const alive = (): number => first.filter(({ destroyed }) => !destroyed).length;
    while (alive() > MOST_PENDING) await Promise.race(first.map((socket) => next(socket, 'close')));
    expect(alive()).toBeGreaterThan(0);
    await expectEcho(await honest(url));
  });

  test('never has a plain request taken for it, on a given server', async () => {
    const web = http.createServer((_request, response) => response.end('a page'));
    echoing({ server: web, path: '/ws' });
    const port = await listenForTest(web);
    const attackers = await Promise.all(
      Array.from({ length: MANY }, () => dialFrom(ATTACKER, port)),
    );
    for (const socket of attackers) void drip(socket.resume(), slowly('GET / HTTP/1.1\r\n'));
    const page = await fetch(`http://127.0.0.1:${String(port)}/`, {
      headers: { Connection: 'close' },
    });
    expect(await page.text()).toBe('a page');
    await expectEcho(await honest(`ws://127.0.0.1:${String(port)}/ws`));
  });
});

test('a TLS handshake that drips gives way, and honest clients get in meanwhile', async () => {
  const web = https.createServer(makeCertificate('openssl', 'localhost'));
  echoing({ server: web });
  const port = await listenForTest(web);
  // A real ClientHello, of which the last bytes never come.
  const hello = await new Promise<Buffer>((resolve) => {
    const sink = http.createServer();
    sink.on('connection', (socket) => {
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
      });
    });
    void listenForTest(sink).then((at) => {
      tls.connect({ port: at, host: '127.0.0.1' }).on('error', () => undefined);
    });
  });
  const attackers = await Promise.all(Array.from({ length: MANY }, () => dialFrom(ATTACKER, port)));
  const parts = Array.from(hello.subarray(0, -1), (byte) => Buffer.of(byte));
  for (const socket of attackers) void drip(socket.resume(), parts);
  const url = `wss://127.0.0.1:${String(port)}`;
  for (let i = 0; i < 5; i++) await expectEcho(await honest(url, { rejectUnauthorized: false }));
  const alive = (): number => attackers.filter(({ destroyed }) => !destroyed).length;
  while (alive() > MOST_PENDING) {
    await Promise.race(attackers.map((socket) => next(socket, 'close')));
  }
  await expectEcho(await honest(url, { rejectUnauthorized: false }));
});

test('frames that drip are slow, not wrong: they hold up nobody, and arrive', async () => {
  const { port, url } = await listening({});
  const peers = await Promise.all(Array.from({ length: MANY }, () => attack(port)));
  const text = 'as slow as can be';
  const bytes = frame(BINARY, Buffer.from(text), { masked: true });
  for (const { socket } of peers)
    void drip(
      socket,
      Array.from(bytes, (byte) => Buffer.of(byte)),
    );
  await expectEcho(await honest(url));
  await Promise.all(peers.map((peer) => peer.received(text.length)));
  expect(peers.map((peer) => peer.bytes.toString())).toEqual(Array<string>(MANY).fill(text));
});
