import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import tls from 'node:tls';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createServer, type CreateServerOptions, type WsConnServer } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { ATTACKER, dialFrom, expectEcho, flood, HONEST, honest } from '../support/peers/flood.ts';
import { listenForTest } from '../support/peers/listen.ts';
import { handshakeRequest, readHead } from '../support/peers/raw-peer.ts';
import { type Certificate, makeCertificate } from '../support/programs/certificate.ts';

/** Connections without a request that the servers of this file take. */
const MOST = 20;

let certificate: Certificate;
beforeAll(() => {
  certificate = makeCertificate('openssl', 'localhost');
});

interface Served {
  readonly server: WsConnServer;
  readonly web: http.Server;
  readonly port: number;
  readonly url: string;
  /** Remote addresses of those that had to give way. */
  readonly dropped: (string | undefined)[];
}

async function serveOn(web: http.Server, options: CreateServerOptions = {}): Promise<Served> {
  const server = createServer({ server: web, maxPendingConnections: MOST, ...options });
  server.on('connection', (adapter) => adapter.on('error', () => undefined).pipe(adapter));
  onTestFinished(() => server.close());
  const dropped: (string | undefined)[] = [];
  server.on('drop', ({ remoteAddress }) => dropped.push(remoteAddress));
  const port = await listenForTest(web);
  const scheme = web instanceof https.Server ? 'wss' : 'ws';
  return { server, web, port, dropped, url: `${scheme}://127.0.0.1:${String(port)}` };
}

/** Resolves when all of them have ended. */
async function ended(sockets: readonly net.Socket[]): Promise<void> {
  await Promise.all(sockets.filter(({ closed }) => !closed).map((socket) => next(socket, 'close')));
}

describe.each([
  ['plain', () => http.createServer(), {}],
  ['TLS', () => https.createServer({ ...certificate }), { rejectUnauthorized: false }],
])('connections without a request, %s,', (_what, makeServer, clientOptions) => {
  test('are dropped, the oldest first, where one address has too many', async () => {
    const { port, dropped, url } = await serveOn(makeServer());
    const before = await honest(url, clientOptions);
    const sockets: net.Socket[] = [];
    for (let i = 0; i < 50; i++) sockets.push(...(await flood(1, port)));
    await ended(sockets.slice(0, 50 - MOST));
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(50 - MOST);
    expect(dropped).toEqual(Array<string>(50 - MOST).fill(ATTACKER));
    // Neither those that are there nor new ones notice.
    await expectEcho(before);
    await expectEcho(await honest(url, clientOptions));
    expect(dropped.filter((address) => address === HONEST)).toEqual([]);
  });

  test('of another address stay, however slow they are', async () => {
    const { port, dropped } = await serveOn(makeServer());
    const tcp = await dialFrom(HONEST, port);
    await flood(3 * MOST, port);
    await flood(MOST, port, 'GET / HTTP/1.1\r\nHost: ');
    expect(dropped).not.toContain(HONEST);
    const socket = makeServer() instanceof https.Server ? secured(tcp) : tcp;
    socket.write(handshakeRequest());
    expect((await readHead(socket)).head).toContain('101');
  });

  test('are no more once they have sent one, or are gone', async () => {
    const web = makeServer();
    const answers: http.ServerResponse[] = [];
    web.on('request', (_request, response) => answers.push(response));
    const { port, dropped } = await serveOn(web);
    const asking: net.Socket[] = [];
    for (let i = 0; i < 2 * MOST; i++) {
      const tcp = await dialFrom(ATTACKER, port);
      const asked = next(web, 'request');
      asking.push(web instanceof https.Server ? secured(tcp) : tcp);
      asking.at(-1)?.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await asked;
    }
    for (let i = 0; i < 3; i++) {
      const taken: net.Socket[] = [];
      const take = (socket: net.Socket): unknown => taken.push(socket);
      web.on('connection', take);
      const idle = await flood(MOST, port);
      while (taken.length < MOST) await next(web, 'connection');
      web.off('connection', take);
      for (const socket of idle) socket.destroy();
      await ended(taken);
    }
    expect(dropped).toEqual([]);
    for (const response of answers) response.end('a page');
    const pages = await Promise.all(asking.map(async (socket) => (await readHead(socket)).head));
    expect(pages.every((head) => head.startsWith('HTTP/1.1 200'))).toBe(true);
  });
});

function secured(socket: net.Socket): tls.TLSSocket {
  const over = tls.connect({ socket, rejectUnauthorized: false });
  over.on('error', () => undefined);
  return over;
}

test('nothing is dropped where others take requests that this server does not see', async () => {
  const web = http.createServer();
  web.on('connect', (_request, socket) => socket.end());
  const { port, dropped } = await serveOn(web);
  const sockets = await flood(2 * MOST, port);
  await expectEcho(await honest(`ws://127.0.0.1:${String(port)}`));
  expect(dropped).toEqual([]);
  expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true);
});

test('maxPendingConnections is checked', () => {
  for (const value of [0, -1, 1.5, NaN]) {
    expect(() => createServer({ maxPendingConnections: value })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error,
    );
  }
  expect(createServer({ maxPendingConnections: Infinity }).maxConnections).toBeGreaterThan(0);
  expect(createServer({ maxConnections: Infinity }).maxConnections).toBe(Infinity);
});
