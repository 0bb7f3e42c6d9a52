/**
 * Requests that two programs on the way may read differently: the server must take each for one
 * handshake or for none, and never a part of it for a second request.
 */
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createServer, type CreateServerOptions } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { dialFrom, ATTACKER, expectEcho, honest } from '../support/peers/flood.ts';
import { BINARY, frame } from '../support/peers/frames.ts';
import { collect, handshakeRequest, RawPeer, readHead } from '../support/peers/raw-peer.ts';

interface Served {
  readonly port: number;
  /** What each handshake asked for that was accepted. */
  readonly accepted: (string | undefined)[];
  /** What each one asked for that was refused, with its status. */
  readonly refused: string[];
}

async function served(options: CreateServerOptions = {}): Promise<Served> {
  const server = createServer({ handshakeTimeout: 500, ...options });
  const accepted: (string | undefined)[] = [];
  const refused: string[] = [];
  server.on('connection', (adapter, request) => {
    accepted.push(request.url);
    adapter.on('error', () => undefined).pipe(adapter);
  });
  server.on('refused', ({ url = '' }, status) => refused.push(`${url} ${String(status)}`));
  onTestFinished(() => server.close());
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  return { port: (server.address() as AddressInfo).port, accepted, refused };
}

/** Sends bytes from the attacker's address, and returns all that comes until TCP ends. */
async function say(port: number, request: string | Buffer): Promise<string> {
  const socket = await dialFrom(ATTACKER, port);
  socket.write(typeof request === 'string' ? Buffer.from(request, 'latin1') : request);
  return collect(socket);
}

/** Status lines of HTTP in an answer. */
function statuses(answer: string): string[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = '']) => status);
}

const SECOND = handshakeRequest({}, '/smuggled');
const HANDSHAKE = handshakeRequest();
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

/** The request of a handshake with more lines at its end. */
function withLines(...lines: readonly string[]): string {
  return HANDSHAKE.replace(/\r\n\r\n$/, `\r\n${lines.join('\r\n')}\r\n\r\n`);
}

const bodyLength = `Content-Length: ${String(SECOND.length)}`;

describe('a handshake is refused, and nothing behind it is read,', () => {
  test.each([
    ['with a body', withLines(bodyLength) + SECOND],
    ['with a chunked body', `${withLines('Transfer-Encoding: chunked')}0\r\n\r\n${SECOND}`],
    [
      'with two lengths of its body',
      `${withLines('Transfer-Encoding: chunked', bodyLength)}0\r\n\r\n${SECOND}`,
    ],
    [
      'with two different Content-Lengths',
      `${withLines('Content-Length: 0', bodyLength)}${SECOND}`,
    ],
    ['with two keys', withLines(KEY) + SECOND],
    ['with two Hosts of which one is hidden', withLines('Host : other') + SECOND],
    ['with a folded line', withLines('X-A: b', ' c: d') + SECOND],
    ['with a bare CR in a value', withLines('X-A: b\rX-C: d') + SECOND],
    [
      'with a bare LF as the end of a line',
      withLines('X-A: b\nTransfer-Encoding: chunked') + SECOND,
    ],
    ['with NUL in a value', withLines('X-A: b\0c') + SECOND],
    ['with a name that is none', withLines('X A: b') + SECOND],
    ['of HTTP/1.0', HANDSHAKE.replace('HTTP/1.1', 'HTTP/1.0') + SECOND],
    ['of HTTP/2.0', HANDSHAKE.replace('HTTP/1.1', 'HTTP/2.0') + SECOND],
    ['of a version that there is not', withLines('Sec-WebSocket-Version: 99') + SECOND],
    ['with giant headers', withLines(`X-A: ${'b'.repeat(100_000)}`) + SECOND],
    ['with very many headers', withLines(...Array<string>(20_000).fill('X: y')) + SECOND],
    ['with a method that is not GET', HANDSHAKE.replace('GET', 'POST') + SECOND],
    ['for another path, and then for this', handshakeRequest({}, '/other') + SECOND],
  ])('%s', async (_what, request) => {
    const { port, accepted, refused } = await served({ path: '/' });
    const answer = await say(port, request);
    expect(statuses(answer)).toHaveLength(1);
    expect(statuses(answer)[0]).toMatch(/^4/);
    expect(accepted).toEqual([]);
    expect(refused.join()).not.toContain('smuggled');
    await expectEcho(await honest(`ws://127.0.0.1:${String(port)}/`));
  });
});

test('a second request behind a handshake that passes is bytes of the WebSocket, and broken ones', async () => {
  const { port, accepted } = await served();
  const answer = await say(port, HANDSHAKE + SECOND);
  expect(statuses(answer)).toEqual(['101']);
  expect(accepted).toEqual(['/']);
});

test('frames that come with the handshake are the first bytes, no more and no less', async () => {
  const { port } = await served();
  const first = frame(BINARY, Buffer.from('first'), { masked: true });
  const socket = await dialFrom(ATTACKER, port);
  socket.write(Buffer.concat([Buffer.from(HANDSHAKE), first]));
  const { rest } = await readHead(socket);
  const peer = new RawPeer(socket, rest, true);
  peer.send(BINARY, ' second');
  await peer.received('first second'.length);
  expect(peer.bytes.toString()).toBe('first second');
});

test('a plain request before the handshake on the same connection ends it', async () => {
  const { port, accepted } = await served();
  const answer = await say(port, `GET / HTTP/1.1\r\nHost: x\r\n\r\n${SECOND}`);
  expect(statuses(answer)).toEqual(['426']);
  expect(accepted).toEqual([]);
});

test.each([
  'http://evil.example/',
  'ws://evil.example/',
  '//evil.example/',
  '/%2f',
  '/./',
  '/..;/',
])('a target that is written otherwise is another path: %s', async (target) => {
  const { port, accepted } = await served({ path: '/' });
  expect(statuses(await say(port, handshakeRequest({}, target)))).toEqual(['404']);
  expect(accepted).toEqual([]);
});

describe('a page whose name was rebound to this machine', () => {
  test.each([
    ['its own origin', { Host: 'evil.example', Origin: 'http://evil.example' }],
    ['the origin of this machine, forged by no browser', { Host: 'x', Origin: 'http://localhost' }],
    ['no origin to show', { Host: 'evil.example', Origin: 'null' }],
    ['an empty one', { Host: 'evil.example', Origin: '' }],
    ['a listed one and another', { Origin: 'https://good.example, https://evil.example' }],
    ['a longer one', { Origin: 'https://good.example.evil.example' }],
    ['another case', { Origin: 'https://GOOD.example' }],
    ['another port', { Origin: 'https://good.example:444' }],
    ['another scheme', { Origin: 'http://good.example' }],
  ])('gets 403 with %s', async (_what, lines) => {
    const { port, accepted } = await served({ origins: ['https://good.example'] });
    expect(statuses(await say(port, handshakeRequest(lines)))).toEqual(['403']);
    expect(accepted).toEqual([]);
    await expectEcho(await honest(`ws://127.0.0.1:${String(port)}/`));
  });

  test('gets 403 with two Origin headers, one of them listed', async () => {
    const { port, accepted } = await served({ origins: ['https://good.example'] });
    const twice = withLines('Origin: https://good.example', 'Origin: https://evil.example');
    expect(statuses(await say(port, twice))).toEqual(['403']);
    expect(accepted).toEqual([]);
  });

  test('gets in without an Origin, as programs do: no browser leaves it out', async () => {
    const { port, accepted } = await served();
    const socket = await dialFrom(ATTACKER, port);
    socket.write(handshakeRequest({ Host: 'any.example' }));
    await next(socket, 'data');
    expect(accepted).toEqual(['/']);
  });
});
