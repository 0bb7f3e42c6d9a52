/** Messages of one byte, to a reader that is paused and to one that is slow. */
import { EventEmitter } from 'node:events';
import type net from 'node:net';

import { WebSocket } from 'ws';

import type { WsConnAdapter } from '../../../src/index.ts';
import { belongsAt, bytesAt } from '../pattern.ts';
import { type Case, type CaseOptions, type CaseResult, check, within, Work } from './case.ts';
import { listen } from './endpoint.ts';
import { inUse } from './memory.ts';

const FULL = 1_000_000;
/** More than the high-water mark, so that the peer is held back. */
const LEAST = 100_000;
/** Messages that are written at once. */
const BATCH = 20_000;
/** FIN and binary; one byte, masked with zeros. */
const HEADER = Buffer.of(0x82, 0x81, 0, 0, 0, 0);
/** Bytes that a slow reader takes at a time. */
const BITE = 100;
/** Turns of the event loop between two looks at the memory. */
const LOOK_EVERY = 200;
/** Bytes of memory over which messages that wait cost more than their bytes. */
const LIMIT = 8 * 1_048_576;
const PATIENCE = 60_000;

function frames(offset: number, count: number): Buffer {
  const bytes = bytesAt(offset, count);
  const all = Buffer.alloc(count * (HEADER.length + 1));
  for (let i = 0; i < count; i++) {
    const at = i * (HEADER.length + 1);
    HEADER.copy(all, at);
    all[at + HEADER.length] = bytes[i] ?? 0;
  }
  return all;
}

/** Sends messages by hand over the socket of a WebSocket, as fast as the kernel takes them. */
async function sendAll(ws: WebSocket, count: number): Promise<void> {
  const { _socket: socket } = ws as unknown as { readonly _socket: net.Socket };
  for (let sent = 0; sent < count; sent += BATCH) {
    const batch = frames(sent, Math.min(BATCH, count - sent));
    if (!socket.write(batch)) await EventEmitter.once(socket, 'drain');
  }
}

interface Reading {
  got: number;
  wrong: boolean;
}

function take(reading: Reading, chunk: Buffer): void {
  if (!belongsAt(reading.got, chunk)) reading.wrong = true;
  reading.got += chunk.length;
}

/** Reads some bytes in each turn of the event loop, up to `count`. */
async function readSlowly(
  socket: WsConnAdapter,
  reading: Reading,
  count: number,
  look: () => void,
): Promise<void> {
  for (let turn = 1; reading.got < count; turn++) {
    if (turn % LOOK_EVERY === 0) look();
    const chunk = socket.read(Math.min(BITE, count - reading.got)) as Buffer | null;
    if (chunk) take(reading, chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function run(options: CaseOptions): Promise<CaseResult> {
  const { size } = new Work(options, FULL, LEAST);
  const { server, url } = await listen();
  const notes: string[] = [];
  for (const kind of ['paused', 'slow'] as const) {
    const accepted = EventEmitter.once(server, 'connection') as Promise<[WsConnAdapter]>;
    const ws = new WebSocket(url);
    await EventEmitter.once(ws, 'open');
    const [socket] = await accepted;
    socket.on('error', () => undefined);
    const reading: Reading = { got: 0, wrong: false };
    const before = inUse();
    const since = performance.now();
    const sending = sendAll(ws, size);
    let held = 0;
    const look = (): void => {
      held = Math.max(held, inUse() - before);
    };
    if (kind === 'paused') {
      // Until the peer is held back, or all of it is in the kernel.
      const heldBack = async (): Promise<void> => {
        while (!socket.ws.isPaused) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      await within(PATIENCE, heldBack(), () => 'the peer is not held back');
      look();
      socket.on('data', (chunk: Buffer) => {
        take(reading, chunk);
      });
      const all = async (): Promise<void> => {
        while (reading.got < size) await EventEmitter.once(socket, 'data');
      };
      await within(PATIENCE, all(), () => `only ${String(reading.got)} bytes came`);
    } else {
      const slowly = readSlowly(socket, reading, size, look);
      await within(PATIENCE, slowly, () => `only ${String(reading.got)} bytes came`);
    }
    await sending;
    const took = (performance.now() - since) / 1000;
    check(!reading.wrong && reading.got === size, 'all bytes arrive, in order');
    check(held <= LIMIT, `they cost memory for their bytes: ${String(held)} bytes`);
    notes.push(
      `${String(size)} messages of one byte to a ${kind} reader in ${took.toFixed(1)} s: at most ` +
        `${(held / 1_048_576).toFixed(1)} MiB of memory while they wait`,
    );
    ws.terminate();
    await socket.close();
  }
  await within(PATIENCE, server.close(), () => 'the server is not closed');
  return { counts: { messages: 2 * size, bytes: 2 * size }, notes };
}

export const tinyMessages: Case = { name: 'tiny messages', weight: 2, run };
