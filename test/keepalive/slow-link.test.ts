import { once } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, Keepalive, type KeepaliveOptions, type WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { type Link, type LinkOptions } from '../support/links/link.ts';
import { startLink } from '../support/links/start-link.ts';
import { serve, stopAfterTest } from '../support/pairs/meet.ts';
import { readAll } from '../support/reading.ts';

const KB = 1_000;

/**
 * Far less than the bytes of these tests take: what lies in the kernel counts, and nothing else.
 */
const IMPATIENT = { interval: 100, pongTimeout: 200 };

interface Ends {
  readonly link: Link;
  readonly near: WsConnAdapter;
  readonly far: WsConnAdapter;
}

/** Connects two adapters over a link. */
async function meetOver(
  options: LinkOptions,
  nearKeepalive: KeepaliveOptions,
  farKeepalive: KeepaliveOptions | false = false,
): Promise<Ends> {
  const { port, accepted } = await serve({ keepalive: farKeepalive });
  const link = await startLink(port, options);
  const near = connect(`ws://127.0.0.1:${String(link.port)}`, { keepalive: nearKeepalive });
  stopAfterTest(near);
  await next(near, 'connect');
  return { link, near, far: await accepted };
}

/** Connects a plain ws over a link to one that reads, answers pings and counts bytes. */
async function plainOver(
  options: LinkOptions,
): Promise<{ link: Link; ws: WebSocket; received: (bytes: number) => Promise<void> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const link = await startLink((server.address() as { port: number }).port, options);
  const connection = next(server, 'connection');
  const ws = new WebSocket(`ws://127.0.0.1:${String(link.port)}`, { perMessageDeflate: false });
  ws.on('error', () => undefined);
  await next(ws, 'open');
  const peer = (await connection)[0] as WebSocket;
  onTestFinished(() => {
    ws.terminate();
    peer.terminate();
  });
  let count = 0;
  peer.on('error', () => undefined);
  peer.on('message', (data: Buffer) => {
    count += data.length;
  });
  return {
    link,
    ws,
    received: async (bytes) => {
      while (count < bytes) await next(peer, 'message');
    },
  };
}

describe('a slow uplink whose kernels take all at once', () => {
  test.each([
    [16 * KB, 64 * KB],
    [200 * KB, 800 * KB],
  ])('of %i B/s is given the time that %i bytes need', async (rate, size) => {
    const { near, far } = await meetOver({ rate }, IMPATIENT);
    const recording = record(near.resume());
    const bytes = bytesOf(1, size);
    near.end(bytes);
    expect(sha256(await readAll(far))).toBe(sha256(bytes));
    await recording.closed;
    expect(recording.errors).toEqual([]);
  });

  test('is given it also for one message of a plain ws, where no ping can go between', async () => {
    const { ws, received } = await plainOver({ rate: 200 * KB });
    const keepalive = new Keepalive(ws, IMPATIENT);
    const pong = next(keepalive, 'pong');
    let dead = 0;
    keepalive.on('dead', () => dead++);
    ws.send(bytesOf(1, 600 * KB));
    await received(600 * KB);
    const [roundTrip] = await pong;
    expect(dead).toBe(0);
    // The ping waited behind the message.
    expect(roundTrip).toBeGreaterThan(1_000);
    keepalive.stop();
  });

  test('is given it also when the keepalive starts in the middle', async () => {
    const { ws, received } = await plainOver({ rate: 200 * KB });
    for (let i = 0; i < 10; i++) ws.send(bytesOf(i, 60 * KB));
    const keepalive = new Keepalive(ws, IMPATIENT);
    let dead = 0;
    keepalive.on('dead', () => dead++);
    await received(600 * KB);
    expect(dead).toBe(0);
    keepalive.stop();
  });

  test('that dies in the middle is found after the time that 64 KiB may take', async () => {
    const { link, near, far } = await meetOver({ rate: 200 * KB }, IMPATIENT);
    const recording = record(near.resume());
    far.resume();
    near.write(Buffer.alloc(2_000 * KB));
    await next(near, 'pong');
    link.stall('both');
    const stalledAt = performance.now();
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ETIMEDOUT' });
    // 65,550 bytes at 8 kB/s. There is no upper limit here, which a loaded machine could pass.
    expect(performance.now() - stalledAt).toBeGreaterThan(4_000);
  });
});

test('bulk in both directions at once, over a slow and long link, kills neither end', async () => {
  const keepalive = { interval: 200, pongTimeout: 1_000 };
  const { near, far } = await meetOver({ rate: 130 * KB, delay: 200 }, keepalive, keepalive);
  const recordings = [record(near), record(far)];
  const bytes = [bytesOf(1, 300 * KB), bytesOf(2, 500 * KB)] as const;
  const got = Promise.all([readAll(far), readAll(near)]);
  near.end(bytes[0]);
  far.end(bytes[1]);
  expect((await got).map((whole) => sha256(whole))).toEqual(bytes.map((whole) => sha256(whole)));
  for (const recording of recordings) {
    await recording.closed;
    expect(recording.errors).toEqual([]);
  }
});

test('bytes that are answered by others carry no more pings than one for each 256 KiB', async () => {
  const { near, far } = await meetOver({}, { interval: 60_000 });
  let pings = 0;
  far.ws.on('ping', () => pings++);
  near.resume();
  far.on('data', (chunk: Buffer) => far.write(chunk));
  // One echo after the other, so that bytes come in between.
  for (let i = 0; i < 64; i++) {
    near.write(Buffer.alloc(16 * 1024));
    await next(near, 'data');
  }
  expect(pings).toBeLessThanOrEqual(4);
});
