/** A client that knows nothing of this package but docs/resume.md. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { createServer, ResumableSocket } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';

/** One WebSocket of the client, and what the server has said on it, in hex. */
interface Dialled {
  readonly ws: WebSocket;
  readonly answer: string;
  readonly heard: string[];
}

async function dial(url: string, header: string): Promise<Dialled> {
  const ws = new WebSocket(url, { headers: { 'WsConn-Resume': header } });
  const heard: string[] = [];
  ws.on('message', (message: Buffer) => heard.push(message.toString('hex')));
  const opened = once(ws, 'open');
  const [response] = (await once(ws, 'upgrade')) as [IncomingMessage];
  await opened;
  return { ws, answer: String(response.headers['wsconn-resume']), heard };
}

/** Returns the status and the header of a refusal. */
async function refused(url: string, header: string): Promise<unknown[]> {
  const ws = new WebSocket(url, { headers: { 'WsConn-Resume': header } });
  ws.on('error', () => undefined);
  const [, response] = (await next(ws, 'unexpected-response')) as [unknown, IncomingMessage];
  response.resume();
  return [response.statusCode, response.headers['wsconn-resume']];
}

/** Returns the data of the messages; those that acknowledge as well have two numbers before it. */
function dataOf({ heard }: Dialled): string[] {
  return heard.flatMap((one) =>
    one.startsWith('00') ? [one.slice(2)] : one.startsWith('02') ? [one.slice(6)] : [],
  );
}

test('a session by the letter of docs/resume.md: new, cut, resumed, ended, and asked for once more', async () => {
  const server = createServer({ resume: { window: 65_536, holdTime: 5_000 } });
  onTestFinished(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `ws://127.0.0.1:${String((server.address() as net.AddressInfo).port)}`;
  const connected = next(server, 'connection');

  const first = await dial(url, 'v=1; new; window=65536');
  const id = /^v=1; id=([0-9a-f]{32}); window=65536; hold=5000$/.exec(first.answer)?.[1] ?? '';
  expect(id).not.toBe('');
  const [connection] = (await connected) as [ResumableSocket];
  expect(connection).toBeInstanceOf(ResumableSocket);
  const closed = closeOf(connection);
  let read = '';
  connection.on('data', (part: Buffer) => (read += String(part)));

  // HELLO from 0, then "ab", numbers 0 and 1.
  first.ws.send(Buffer.from(`06${id}000000`, 'hex'));
  first.ws.send(Buffer.from('006162', 'hex'));
  await expect.poll(() => first.heard).toContain('010202');
  // "xyz" comes, and is not acknowledged before the cut.
  connection.write('xyz');
  await expect.poll(() => first.heard).toContain('0078797a');
  const lost = next(connection, 'disconnect');
  first.ws.terminate();
  await lost;
  connection.write('!');

  expect(await refused(url, `v=1; id=${'0'.repeat(32)}; received=0`)).toEqual([410, 'unknown']);
  server.once('connection', (unbegun) => unbegun.on('error', () => undefined));
  const offered = await dial(url, 'v=1; new; window=65536');
  const [, unbegun = ''] = /id=(\w+)/.exec(offered.answer) ?? [];
  expect(await refused(url, `v=1; id=${unbegun}; received=0`)).toEqual([410, 'unbegun']);
  expect(await refused(url, `v=1; id=${id}; received=9`)).toEqual([410, 'unsent']);

  // The client has got "x" alone, it says, so "yz" comes again; it sends "b" again, and "c".
  const second = await dial(url, `v=1; id=${id}; received=1`);
  expect(second.answer).toBe('v=1; received=2; consumed=2');
  second.ws.send(Buffer.from(`06${id}010101`, 'hex'));
  second.ws.send(Buffer.from('006263', 'hex'));
  await expect.poll(() => read).toBe('abc');
  await expect.poll(() => dataOf(second)).toEqual(['797a', '21']);

  // FIN is number 3. The server ends too, with its FIN as number 4.
  second.ws.send(Buffer.from('03', 'hex'));
  await expect.poll(() => second.heard).toContain('03');
  const gone = next(second.ws, 'close');
  second.ws.send(Buffer.from('010505', 'hex'));
  expect((await gone)[0]).toBe(1000);
  await closed;
  expect(connection.errored).toBeNull();
  expect(await refused(url, `v=1; id=${id}; received=5`)).toEqual([410, 'finished; received=4']);
});
