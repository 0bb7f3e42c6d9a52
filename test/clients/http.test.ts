import http from 'node:http';
import type net from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, createServer, type WsConnAdapter } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';

const MIB = 1024 * 1024;

/**
 * Starts an ordinary http.Server that gets its connections from a WebSocket server, and an agent
 * that dials them.
 */
async function startWeb(
  listener: http.RequestListener,
  options: http.ServerOptions = {},
): Promise<{ agent: http.Agent; web: http.Server; connections: WsConnAdapter[] }> {
  const web = http.createServer(options, listener);
  const connections: WsConnAdapter[] = [];
  const server = createServer((socket) => web.emit('connection', socket)).listen(0, '127.0.0.1');
  await next(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  class TunnelAgent extends http.Agent {
    override createConnection(): net.Socket {
      const connection = connect(`ws://127.0.0.1:${String(port)}`);
      connections.push(connection);
      return connection;
    }
  }
  const agent = new TunnelAgent({ keepAlive: true, maxSockets: 4 });
  onTestFinished(async () => {
    agent.destroy();
    await Promise.all(connections.map(closeOf));
    await server.close();
  });
  return { agent, web, connections };
}

async function send(options: http.RequestOptions, body?: Buffer): Promise<http.IncomingMessage> {
  const request = http.request({ host: 'device.internal', ...options });
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  request.end(body);
  return response;
}

describe('http.Agent and http.Server over adapters', () => {
  test('a hundred requests share four connections', async () => {
    const { agent, connections } = await startWeb((request, response) => {
      response.end(`you asked for ${String(request.url)}`);
    });
    const answers = Array.from({ length: 100 }, async (_, i) =>
      text(await send({ agent, path: `/${String(i)}` })),
    );
    expect(await Promise.all(answers)).toEqual(
      Array.from({ length: 100 }, (_, i) => `you asked for /${String(i)}`),
    );
    expect(connections).toHaveLength(4);
  });

  test('bodies of 8 MiB go up and come back, with and without a length', async () => {
    const { agent } = await startWeb((request, response) => {
      request.pipe(response);
    });
    const body = bytesOf(1, 8 * MIB);
    for (const headers of [{ 'Content-Length': body.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const response = await send({ agent, method: 'POST', headers }, body);
      expect(sha256(await buffer(response))).toBe(sha256(body));
    }
  });

  test('a connection that the server ends after its answer ends in order, and the next request gets a new one', async () => {
    const { agent, connections } = await startWeb((_request, response) => {
      response.setHeader('Connection', 'close');
      response.end(bytesOf(1, MIB));
    });
    for (let i = 0; i < 2; i++) {
      const response = await send({ agent });
      expect(sha256(await buffer(response))).toBe(sha256(bytesOf(1, MIB)));
    }
    await Promise.all(connections.map(closeOf));
    expect(connections.map(({ errored }) => errored)).toEqual([null, null]);
  });

  test('an answer without length or chunks, which only its end tells, arrives whole', async () => {
    const { agent } = await startWeb((_request, response) => {
      response.useChunkedEncodingByDefault = false;
      response.removeHeader('Transfer-Encoding');
      response.write(bytesOf(1, MIB));
      response.end();
    });
    const response = await send({ agent });
    expect(response.headers).not.toHaveProperty('content-length');
    expect(response.headers).not.toHaveProperty('transfer-encoding');
    expect(sha256(await buffer(response))).toBe(sha256(bytesOf(1, MIB)));
  });

  test('a server that is too slow meets the time limit of the request', async () => {
    const { agent } = await startWeb(() => undefined);
    const request = http.get({ host: 'device.internal', agent, timeout: 50 });
    await next(request, 'timeout');
    const failed = next(request, 'error');
    request.destroy(new Error('too slow'));
    expect(await failed).toEqual([new Error('too slow')]);
  });

  test('an idle connection meets the keep-alive limit of the server, which ends it in order', async () => {
    const { agent, web, connections } = await startWeb((_request, response) => response.end('ok'));
    web.keepAliveTimeout = 50;
    expect(await text(await send({ agent }))).toBe('ok');
    const [connection] = connections;
    if (!connection) throw new Error('no connection was made');
    await closeOf(connection);
    expect(connection.errored).toBeNull();
  });

  test('a request that breaks off is aborted at the server', async () => {
    const aborted: Promise<unknown[]>[] = [];
    const { agent, connections } = await startWeb((request) => {
      aborted.push(next(request, 'error'));
      connections[0]?.resetAndDestroy();
    });
    await expect(send({ agent, method: 'POST' }, bytesOf(1, MIB))).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(await Promise.all(aborted)).toMatchObject([[{ code: 'ECONNRESET' }]]);
  });
});
