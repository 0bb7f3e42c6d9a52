/** Peers that begin messages and never end them, to have the server hold all of their bytes. */
import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer, type WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { serve, stopAfterTest } from '../support/pairs/meet.ts';
import { attack, expectEcho, honest } from '../support/peers/flood.ts';
import { BINARY, CONTINUATION, PING } from '../support/peers/frames.ts';
import type { RawPeer } from '../support/peers/raw-peer.ts';
import { startVictim } from '../support/peers/victim.ts';

const MIB = 1_048_576;
const ATTACKERS = 300;

/** Resolves when all that was sent has left this side, or the connection has ended. */
async function sent(peer: RawPeer): Promise<void> {
  const { socket } = peer;
  while (socket.writableLength > 0 && !socket.destroyed) {
    await Promise.race([next(socket, 'drain'), next(socket, 'close')]);
  }
}

const ATTACKS: readonly (readonly [string, (peer: RawPeer) => void])[] = [
  [
    'huge frames without their last byte',
    (peer) => {
      peer.send(BINARY, Buffer.alloc(MIB - 1), { claims: MIB });
    },
  ],
  [
    'fragments without the last one',
    (peer) => {
      for (let i = 0; i < 15; i++) {
        peer.send(i === 0 ? BINARY : CONTINUATION, Buffer.alloc(65_536), { fin: false });
      }
    },
  ],
  [
    'fragments with pings between them',
    (peer) => {
      for (let i = 0; i < 15; i++) {
        peer.send(i === 0 ? BINARY : CONTINUATION, Buffer.alloc(65_536), { fin: false });
        peer.send(PING, 'are you there?');
      }
    },
  ],
];

test.each(ATTACKS)('%s take no more memory than they may', async (_what, begin) => {
  const bound = 16 * MIB;
  const victim = await startVictim({ maxUnfinishedBytes: bound });
  const friend = await honest(victim.url);
  await expectEcho(friend);
  for (let i = 0; i < ATTACKERS; i += 20) {
    const peers = await Promise.all(Array.from({ length: 20 }, () => attack(victim.port)));
    for (const peer of peers) begin(peer);
    await Promise.all(peers.map(sent));
    await expectEcho(friend);
  }
  await expectEcho(await honest(victim.url));
  await victim.failed(ATTACKERS - 40);
  // Without a bound it is 300 MB.
  expect(victim.grown()).toBeLessThan(bound + 110 * MIB);
  expect(new Set(victim.errors.map(({ code }) => code))).toContain('EMSGSIZE');
});

test('bytes one by one, each in a chunk of its own, are an error before they cost much', async () => {
  const accepted: WsConnAdapter[] = [];
  const { port, server } = await serve({});
  server.on('connection', (adapter) => accepted.push(adapter));
  const peer = await attack(port);
  const [adapter] = accepted;
  const recording = record(adapter as WsConnAdapter);
  peer.send(BINARY, '', { claims: MIB });
  peer.socket.setNoDelay(true);
  let count = 0;
  while (recording.errors.length === 0 && count < 10_000) {
    count++;
    peer.socket.write('x');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await recording.closed;
  expect(recording.errors[0]).toMatchObject({ code: 'EPROTO' });
});

test('the connection with most of them fails, and its peer is told why', async () => {
  const { port, server } = await serve({ maxUnfinishedBytes: MIB });
  const errors: unknown[] = [];
  server.on('connection', (adapter) => adapter.on('error', (error) => errors.push(error)));
  const small = await attack(port);
  small.send(BINARY, Buffer.alloc(300_000), { claims: 900_000 });
  const large = await attack(port);
  large.send(BINARY, Buffer.alloc(600_000), { claims: 900_000 });
  const last = await attack(port);
  last.send(BINARY, Buffer.alloc(300_000), { claims: 900_000 });
  expect(await large.closeCode()).toBe(1013);
  expect(await large.tcpEnd).toBeDefined();
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ code: 'EMSGSIZE' });
  expect((errors[0] as Error).message).toMatch(/maxUnfinishedBytes/);
  expect([small.socket.destroyed, last.socket.destroyed]).toEqual([false, false]);
  expect(server.connections).toBe(2);
});

test('who sends whole messages, pings and pongs, is never over the bound', async () => {
  const server = createServer({ maxUnfinishedBytes: 100_000, keepalive: { interval: 20 } });
  server.on('connection', (adapter) => adapter.on('error', () => undefined).pipe(adapter));
  onTestFinished(() => server.close());
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const adapter = connect(`ws://127.0.0.1:${String(port)}`, { keepalive: { interval: 20 } });
  stopAfterTest(adapter);
  await next(adapter, 'connect');
  for (let i = 0; i < 20; i++) await expectEcho(adapter, 'x'.repeat(50_000));
  // Ten times the bound, in pings alone.
  for (let i = 0; i < 10_000; i++) {
    adapter.ws.ping(Buffer.alloc(100));
    if (i % 100 === 0) await next(adapter.ws, 'pong');
  }
  await expectEcho(adapter);
});
