/**
 * A process with an adapter, of a client or a server as told, that reads nothing while 100,000
 * messages of one byte come. Prints as JSON how many bytes each of ten such adapters costs, and
 * whether the peer is held back. Run with tsx and --expose-gc.
 */
import type { AddressInfo } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import { WsConnAdapter } from '../../../src/index.ts';
import { BINARY, frame } from '../peers/frames.ts';

const [role] = process.argv.slice(2);
const COUNT = 10;
const MESSAGES = 100_000;
const one = frame(BINARY, Buffer.of(1), { masked: role === 'server' });
const all = Buffer.concat(Array.from({ length: MESSAGES }, () => one));

async function used(): Promise<{ heap: number; outside: number }> {
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, outside: external };
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await new Promise((resolve) => server.once('listening', resolve));
const pairs: { ours: WebSocket; theirs: WebSocket }[] = [];
for (let i = 0; i < COUNT; i++) {
  const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  await new Promise((resolve) => client.once('open', resolve));
  const served = await accepted;
  pairs.push(
    role === 'server' ? { ours: served, theirs: client } : { ours: client, theirs: served },
  );
}
const adapters = pairs.map(({ ours }) => new WsConnAdapter(ours));
const before = await used();
for (const { theirs } of pairs)
  (theirs as unknown as { _socket: { write(b: Buffer): void } })._socket.write(all);
while (adapters.some(({ ws }) => !ws.isPaused))
  await new Promise((resolve) => setTimeout(resolve, 20));
const after = await used();
const figures = {
  heap: (after.heap - before.heap) / COUNT,
  outside: (after.outside - before.outside) / COUNT,
  paused: adapters.every(({ ws }) => ws.isPaused) ? 1 : 0,
};
process.stdout.write(JSON.stringify(figures), () => process.exit());
