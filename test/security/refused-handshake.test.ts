/** A server refuses the handshake: what the error tells of it, and what a hostile one can do. */
import http, { type OutgoingHttpHeaders } from 'node:http';
import net from 'node:net';
import { inspect } from 'node:util';

import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import {
  connect,
  type ConnectOptions,
  readRefusal,
  WsConnAdapter,
  WsConnError,
} from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { listenForTest } from '../support/peers/listen.ts';

/** Serves one answer to every request, and returns its URL. */
async function answering(
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer = '',
  phrase?: string,
): Promise<string> {
  const web = http.createServer((_request, response) => {
    response.writeHead(status, phrase, { Connection: 'close', ...headers });
    response.end(body);
  });
  return `ws://127.0.0.1:${String(await listenForTest(web))}`;
}

/** Serves the bytes and leaves TCP open; `after` may send more. */
async function sending(
  bytes: string,
  after: (socket: net.Socket) => void = () => undefined,
): Promise<string> {
  const server = net.createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from(bytes, 'latin1'));
      after(socket);
    });
  });
  return `ws://127.0.0.1:${String(await listenForTest(server))}`;
}

/** Connects, and returns the only error; nothing else may happen. */
async function refusal(url: string, options?: ConnectOptions): Promise<WsConnError> {
  const recording = record(connect(url, options));
  await recording.closed;
  expect(recording.names).toEqual(['error', 'close']);
  const [error] = recording.errors;
  expect(error).toBeInstanceOf(WsConnError);
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  return error as unknown as WsConnError;
}

const END = 'The handshake was refused: the server answered with HTTP status';

describe('a refused handshake tells', () => {
  test('status, reason phrase, Location, Retry-After and the first line', async () => {
    const url = await answering(
      503,
      { Location: 'https://status.example/now', 'Retry-After': '120' },
      '\n  maintenance until noon  \nmore\n',
      'Down For Now',
    );
    const error = await refusal(url);
    expect(error).toMatchObject({
      statusCode: 503,
      statusMessage: 'Down For Now',
      location: 'https://status.example/now',
      retryAfter: '120',
      bodyLine: 'maintenance until noon',
    });
    expect(error.message).toBe(
      `${END} 503 "Down For Now"; Location: https://status.example/now; Retry-After: 120; it says "maintenance until noon" (ECONNREFUSED)`,
    );
  });

  test('nothing that is not there', async () => {
    const error = await refusal(await answering(404, {}, 'Not Found\n'));
    expect(error.message).toBe(`${END} 404 Not Found (ECONNREFUSED)`);
    expect([error.location, error.retryAfter]).toEqual([undefined, undefined]);
  });

  test.each([
    ['HTML', {}, '<!doctype html><h1>No</h1>\n'],
    ['what is compressed', { 'Content-Encoding': 'gzip' }, 'text\n'],
    ['bytes that are no text', {}, Buffer.of(0xff, 0xfe, 0x0a)],
  ])('no line of %s', async (_what, headers, body) => {
    expect((await refusal(await answering(500, headers, body))).bodyLine).toBeUndefined();
  });

  test('a date to come back', async () => {
    const date = 'Sun, 29 Nov 2026 15:00:00 GMT';
    expect(await refusal(await answering(429, { 'Retry-After': date }))).toMatchObject({
      retryAfter: date,
    });
  });

  test('a relative Location as a whole URL', async () => {
    const url = await answering(302, { Location: '/login?next=secret#secret' });
    const { location, message } = await refusal(`${url}/a/b`);
    expect(location).toBe(`${url.replace('ws', 'http')}/login`);
    expect(message).not.toContain('secret');
  });
});

describe('a hostile server', () => {
  test.each([
    ['https://bob:hunter2@host.example/path?token=hunter2#hunter2', 'https://host.example/path'],
    ['javascript:alert(1)', undefined],
    ['http://[', undefined],
  ])('puts no secret and no other scheme into Location: %s', async (given, shown) => {
    const error = await refusal(await answering(302, { Location: given }));
    expect(error.location).toBe(shown);
    expect(inspect(error, { showHidden: true })).not.toContain('hunter2');
  });

  test('cannot forge a line, move a cursor or pass for our words', async () => {
    const nasty = 'no\x1b[2J\x9b\x07 \u2028\u202e";  it says "x';
    const url = await answering(401, { 'Retry-After': '1; x' }, nasty);
    const error = await refusal(url);
    expect(error.retryAfter).toBeUndefined();
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(`${error.message}${error.bodyLine ?? ''}`).not.toMatch(/[\0-\x1f\x7f-\x9f\u2028\u202e]/);
    expect(error.message).toContain(`it says "no\\u001b[2J`);
    expect(error.message).toContain(`';  it says 'x"`);
    const phrase = await refusal(await sending('HTTP/1.1 403 No\x9b2J\x1b!\r\n\r\n'));
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(phrase.message).not.toMatch(/[\0-\x1f\x7f-\x9f]/);
  });

  test('is masked where it sends back what the request held', async () => {
    const web = http.createServer((request, response) => {
      response.writeHead(400, { Location: `/echo/${request.headers['x-key'] as string}` });
      const { url = '', headers } = request;
      const [, basic = ''] = (headers.authorization ?? '').split(' ');
      const pair = Buffer.from(basic, 'base64').toString();
      response.end(
        `no ${url} ${basic} ${pair} ${headers['x-key'] as string} ${headers.cookie ?? ''}`,
      );
    });
    const port = await listenForTest(web);
    const error = await refusal(
      `ws://bob:hunter2@127.0.0.1:${String(port)}/path?token=s3cr3t&b=1`,
      {
        headers: { 'X-Key': 'k3yk3y', Cookie: 'a=c00kie' },
      },
    );
    expect(error.bodyLine).toMatch(/^no \/path\?\*\*\*/);
    expect(inspect(error, { showHidden: true })).not.toMatch(/hunter2|s3cr3t|k3yk3y|c00kie/);
  });

  test('cannot make the line long, nor have much of it read', async () => {
    let sent = 0;
    const url = await sending('HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n', (socket) => {
      const chunk = `ffff\r\n${'x'.repeat(65_535)}\r\n`;
      const flood = (): void => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', flood);
      flood();
    });
    const { bodyLine } = await refusal(url);
    expect(bodyLine).toBe(`${'x'.repeat(200)}…`);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('cannot delay the error with a body that drips or never comes', async () => {
    const before = performance.now();
    const timers: NodeJS.Timeout[] = [];
    onTestFinished(() => {
      for (const timer of timers) clearInterval(timer);
    });
    const url = await sending('HTTP/1.1 400 No\r\nContent-Length: 9000\r\n\r\n', (socket) => {
      timers.push(setInterval(() => socket.write('x'), 20));
    });
    // Of two limits the one of the body holds: the server has answered.
    const error = await refusal(url, { handshakeTimeout: 500 });
    expect(error.bodyLine).toMatch(/^x+$/);
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  test.each([
    ['breaks off', 'Content-Length: 99\r\n\r\nbusy', (socket: net.Socket) => socket.end()],
    [
      'goes on with what is no HTTP',
      'Transfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\nnonsense\r\n',
      () => undefined,
    ],
    [
      'resets',
      'Content-Length: 99\r\n\r\nbusy',
      (socket: net.Socket) => setImmediate(() => socket.resetAndDestroy()),
    ],
  ])('is heard as far as it got when it %s', async (_how, rest, after) => {
    const error = await refusal(await sending(`HTTP/1.1 503 Slow\r\n${rest}`, after));
    expect(error).toMatchObject({ statusCode: 503, statusMessage: 'Slow' });
  });
});

describe('while the body of a refusal is read', () => {
  const HEAD = 'HTTP/1.1 400 No\r\nContent-Length: 9000\r\n\r\n';

  test('destroy() ends it at once, without an error', async () => {
    const adapter = connect(await sending(HEAD));
    await next(adapter.ws, 'unexpected-response');
    const recording = record(adapter);
    adapter.destroy();
    await recording.closed;
    expect(recording.names).toEqual(['close']);
  });

  test('close() gives null, as while connecting', async () => {
    const adapter = connect(await sending(HEAD));
    await next(adapter.ws, 'unexpected-response');
    expect(await adapter.close()).toBeNull();
    expect(adapter.ws.eventNames()).toEqual([]);
  });

  test('a listener of the user reads it too', async () => {
    const ws = new WebSocket(await answering(418, {}, 'I am\na teapot\n'));
    const body = new Promise<string>((resolve) => {
      ws.on('unexpected-response', (_request, response) => {
        response.setEncoding('utf8');
        response.on('data', resolve);
      });
    });
    const recording = record(new WsConnAdapter(ws));
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ statusCode: 418, bodyLine: 'I am' });
    expect(await body).toContain('teapot');
  });
});

test('readRefusal() tells the same of a WebSocket without an adapter', async () => {
  const ws = new WebSocket(await answering(401, { 'Retry-After': '5' }, 'who are you?'));
  ws.on('error', () => undefined);
  const [request, response] = (await next(ws, 'unexpected-response')) as [
    http.ClientRequest,
    http.IncomingMessage,
  ];
  expect(await readRefusal(request, response)).toMatchObject({
    code: 'ECONNREFUSED',
    statusCode: 401,
    retryAfter: '5',
    bodyLine: 'who are you?',
  });
  const closed = next(ws, 'close');
  ws.terminate();
  await closed;
});
