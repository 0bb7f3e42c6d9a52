/**
 * Peers that send as much as they can of what costs most, to a server in a process of its own. An
 * honest client is served meanwhile, and the memory of the server stays bounded.
 */
import { deflateRawSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import type { CreateServerOptions } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { ATTACKER, attack, dialFrom, expectEcho, flood, honest } from '../support/peers/flood.ts';
import {
  BINARY,
  CLOSE,
  closePayload,
  CONTINUATION,
  frame,
  PING,
  PONG,
  TEXT,
} from '../support/peers/frames.ts';
import { handshakeRequest, type RawPeer } from '../support/peers/raw-peer.ts';
import { startVictim, type Victim } from '../support/peers/victim.ts';

const MIB = 1_048_576;
/** What the program itself takes, with its compiler's doings, when it gets to work. */
const OWN = 60 * MIB;

/** Sends the same bytes so often, as the other side takes them; ends early where it is cut. */
async function pour(peer: RawPeer, bytes: Buffer, times: number): Promise<void> {
  const { socket } = peer;
  for (let i = 0; i < times && !socket.destroyed; i++) {
    if (!socket.write(bytes)) await Promise.race([next(socket, 'drain'), next(socket, 'close')]);
  }
}

/** Runs an attack, and has an honest client served before, meanwhile and after it. */
async function underAttack(
  options: CreateServerOptions,
  run: (victim: Victim) => Promise<unknown>,
): Promise<Victim> {
  const victim = await startVictim(options);
  const friend = await honest(victim.url);
  await expectEcho(friend);
  const state = { over: false, echoes: 0 };
  const attacked = run(victim).finally(() => {
    state.over = true;
  });
  while (!state.over || state.echoes === 0) {
    await expectEcho(friend);
    state.echoes++;
  }
  await attacked;
  await expectEcho(await honest(victim.url));
  return victim;
}

const many = (count: number, bytes: Buffer): Buffer =>
  Buffer.concat(Array<Buffer>(count).fill(bytes));
const masked = (opcode: number, payload: Buffer = Buffer.alloc(0), fin = true): Buffer =>
  frame(opcode, payload, { masked: true, fin });

describe('a flood', () => {
  test.each([
    ['of pings', masked(PING, Buffer.alloc(125))],
    ['of empty pings', masked(PING)],
    ['of pongs that nobody asked for', masked(PONG, Buffer.alloc(125))],
    ['of empty messages', masked(BINARY)],
    ['of messages of one byte', masked(BINARY, Buffer.of(1))],
    ['of empty fragments', masked(CONTINUATION, Buffer.alloc(0), false)],
    ['of fragments of one byte', masked(CONTINUATION, Buffer.of(1), false)],
    ['of text', masked(TEXT, Buffer.from('x'))],
    ['of Close frames', masked(CLOSE, closePayload(1000))],
    ['of garbage', Buffer.alloc(64, 0xff)],
  ])('%s leaves the server alive and its memory bounded', async (_what, one) => {
    const bytes = many(2_000, one);
    const victim = await underAttack({}, async ({ port }) => {
      const peers = await Promise.all(Array.from({ length: 10 }, () => attack(port)));
      for (const peer of peers) {
        // Who floods does not read.
        peer.socket.pause();
        if (one[0] === 0) peer.send(BINARY, 'begun', { fin: false });
      }
      await Promise.all(peers.map((peer) => pour(peer, bytes, 20)));
    });
    expect(victim.grown()).toBeLessThan(OWN + 90 * MIB);
  });

  test('of fragments ends their connection', async () => {
    const victim = await startVictim();
    const peer = await attack(victim.port);
    peer.send(BINARY, 'begun', { fin: false });
    await pour(peer, many(1_000, masked(CONTINUATION, Buffer.of(1), false)), 20);
    expect(await peer.closeCode()).toBe(1008);
  });

  test('of connections without a request lets honest clients in, and is bounded', async () => {
    const victim = await underAttack({ maxPendingConnections: 50 }, async ({ port }) => {
      for (let i = 0; i < 20; i++) await flood(100, port);
    });
    expect(victim.grown()).toBeLessThan(OWN + 20 * MIB);
  });

  test('of WebSockets that come and go', async () => {
    const victim = await underAttack({}, async ({ port }) => {
      for (let i = 0; i < 20; i++) {
        const peers = await Promise.all(Array.from({ length: 20 }, () => attack(port)));
        for (const [at, peer] of peers.entries()) {
          if (at % 3 === 0) peer.sendClose(1000);
          if (at % 3 === 1) peer.socket.resetAndDestroy();
          else peer.socket.end();
        }
      }
    });
    expect(victim.grown()).toBeLessThan(OWN + 40 * MIB);
  });

  test('of WebSockets gets 503 beyond maxConnections, and there is room when it has gone', async () => {
    const victim = await startVictim({ maxConnections: 20 });
    const friend = await honest(victim.url);
    const peers = await Promise.all(Array.from({ length: 19 }, () => attack(victim.port)));
    const one = await dialFrom(ATTACKER, victim.port);
    one.write(handshakeRequest());
    const [answer] = await next(one, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 503/);
    await expectEcho(friend);
    await expect(honest(victim.url)).rejects.toMatchObject({ statusCode: 503 });
    const gone = next(peers[0]?.socket as NonNullable<RawPeer['socket']>, 'close');
    peers[0]?.socket.resetAndDestroy();
    await gone;
    // The reset is on its way before this handshake, on the same machine.
    await expectEcho(await honest(victim.url));
  });
});

describe('a bomb', () => {
  /** 64 MiB of zeros, compressed to 64 KiB. */
  const bomb = deflateRawSync(Buffer.alloc(64 * MIB));
  const send = (peer: RawPeer): void => {
    peer.socket.write(frame(BINARY, bomb, { masked: true, reserved: 4 }));
  };
  const lines = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

  test('of permessage-deflate is cut at maxPayload, with the option on', async () => {
    const victim = await underAttack({ perMessageDeflate: true }, async ({ port }) => {
      const peers = await Promise.all(Array.from({ length: 20 }, () => attack(port, lines)));
      for (const peer of peers) send(peer);
      for (const peer of peers) expect(await peer.closeCode()).toBe(1009);
    });
    await victim.failed(20);
    // Without a bound it is 20 times 64 MiB.
    expect(victim.grown()).toBeLessThan(OWN + 150 * MIB);
    expect(victim.errors.map(({ code }) => code)).toEqual(Array<string>(20).fill('EMSGSIZE'));
  });

  test('of permessage-deflate is a broken frame, with the option off', async () => {
    const victim = await underAttack({}, async ({ port }) => {
      const peers = await Promise.all(Array.from({ length: 20 }, () => attack(port, lines)));
      for (const peer of peers) send(peer);
      for (const peer of peers) expect(await peer.closeCode()).toBe(1002);
    });
    expect(victim.grown()).toBeLessThan(OWN + 40 * MIB);
  });

  test('of fragments that are too large together is cut at maxPayload', async () => {
    await underAttack({}, async ({ port }) => {
      const peer = await attack(port);
      peer.send(BINARY, Buffer.alloc(65_536), { fin: false });
      await pour(peer, masked(CONTINUATION, Buffer.alloc(65_536), false), 20);
      expect(await peer.closeCode()).toBe(1009);
    });
  });
});
