import { once } from 'node:events';
import type net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import {
  connect,
  createServer,
  type KeepaliveOptions,
  type ResumableSocket,
} from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import type { Link, LinkOptions } from '../support/links/link.ts';
import { startLink } from '../support/links/start-link.ts';
import { readAll } from '../support/reading.ts';

const KB = 1_000;

/** Far less than the bytes of these tests take on their way. */
const IMPATIENT = { interval: 100, pongTimeout: 200 };

interface Ends {
  readonly link: Link;
  readonly near: ResumableSocket;
  readonly far: ResumableSocket;
}

/** Connects two ends that resume over a link; the far one has shown that it does. */
async function meetOver(options: LinkOptions, keepalive: KeepaliveOptions): Promise<Ends> {
  const server = createServer({ resume: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = once(server, 'connection');
  const link = await startLink((server.address() as net.AddressInfo).port, options);
  const near = connect(`ws://127.0.0.1:${String(link.port)}`, { resume: true, keepalive });
  await once(near, 'connect');
  const [far] = (await connection) as [ResumableSocket];
  for (const end of [near, far]) end.on('error', () => undefined);
  onTestFinished(async () => {
    near.destroy();
    await closeOf(near);
    await server.close();
  });
  near.write('?');
  await once(far, 'readable');
  far.read();
  return { link, near, far };
}

test('a slow link is given the time that the bytes need', async () => {
  const { near, far } = await meetOver({ rate: 200 * KB }, IMPATIENT);
  let dead = 0;
  near.ping().on('dead', () => dead++);
  const bytes = bytesOf(1, 800 * KB);
  near.resume().end(bytes);
  expect(sha256(await readAll(far))).toBe(sha256(bytes));
  await closeOf(near);
  expect(dead).toBe(0);
});

test('acknowledgements stand for the pings that a burst carries else', async () => {
  const { near, far } = await meetOver({}, { interval: 60_000 });
  let pings = 0;
  far.ws?.on('ping', () => pings++);
  near.resume().end(bytesOf(1, 4_000 * KB));
  await readAll(far);
  expect(pings).toBe(0);
});

test('a link that dies in the middle ends the WebSocket and not the socket, which goes on over the next', async () => {
  const { link, near, far } = await meetOver({ rate: 400 * KB }, IMPATIENT);
  const keepalive = near.ping();
  const bytes = bytesOf(2, 600 * KB);
  const got = readAll(far);
  near.resume().end(bytes);
  await once(far, 'data');
  const first = near.ws;
  const disconnected = once(near, 'disconnect');
  const reconnected = once(near, 'reconnect');
  const dead = once(keepalive, 'dead');
  link.stall('both');
  expect((await dead).at(0)).toMatchObject({ code: 'ETIMEDOUT' });
  expect((await disconnected).at(0)).toMatchObject({ code: 'ETIMEDOUT' });
  expect(near.ws).toBeNull();
  expect(near.destroyed).toBe(false);
  link.flow('both');
  expect((await reconnected).at(0)).toBe(1);
  expect(near.ws).not.toBe(first);
  expect(near.ping()).toBe(keepalive);
  expect(sha256(await got)).toBe(sha256(bytes));
  await closeOf(near);
  expect(near.errored).toBeNull();
});

test('the keepalive goes on over the next WebSocket', async () => {
  const { link, near } = await meetOver({}, { interval: 100, pongTimeout: 2_000 });
  await once(near, 'pong');
  const reconnected = once(near, 'reconnect');
  link.cut('rst');
  await reconnected;
  await once(near, 'pong');
});
