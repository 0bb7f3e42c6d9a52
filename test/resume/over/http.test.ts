import http from 'node:http';
import type net from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { next } from '../../support/events.ts';
import { resumablePair, type ResumablePair } from '../../support/pairs/resumable-pair.ts';

const MIB = 1024 * 1024;

/** Makes an agent with one connection, to an ordinary http.Server at the other end. */
async function web(
  listener: http.RequestListener,
): Promise<{ pair: ResumablePair; agent: http.Agent }> {
  const pair = await resumablePair();
  const server = http.createServer(listener);
  server.emit('connection', pair.b);
  class OneConnection extends http.Agent {
    override createConnection(): net.Socket {
      return pair.a;
    }
  }
  const agent = new OneConnection({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async () => {
    agent.destroy();
    await pair.stop();
  });
  return { pair, agent };
}

async function send(options: http.RequestOptions, body?: Buffer): Promise<http.IncomingMessage> {
  const request = http.request({ host: 'device.internal', ...options });
  const response = next(request, 'response');
  request.end(body);
  return (await response)[0] as http.IncomingMessage;
}

test('a body of 8 MiB goes up and comes back in one request while the path is cut', async () => {
  const { pair, agent } = await web((request, response) => {
    request.pipe(response);
  });
  pair.cutEvery(2 * MIB);
  const body = bytesOf(1, 8 * MIB);
  const headers = { 'Content-Length': body.length };
  const response = await send({ agent, method: 'POST', headers }, body);
  expect(sha256(await buffer(response))).toBe(sha256(body));
  expect(pair.lost()).toBeGreaterThan(2);
});

test('an idle connection of an agent that was cut meanwhile takes the next request', async () => {
  const { pair, agent } = await web((request, response) => {
    response.end(`you asked for ${String(request.url)}`);
  });
  expect(await text(await send({ agent, path: '/1' }))).toBe('you asked for /1');
  const lost = next(pair.a, 'disconnect');
  pair.cut();
  await lost;
  expect(await text(await send({ agent, path: '/2' }))).toBe('you asked for /2');
});
