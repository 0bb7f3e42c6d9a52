/** An adapter of a server whose client sends anything on its socket after the handshake. */
import type { IncomingMessage } from 'node:http';

import { createServer, type WsConnAdapter } from '../../../../src/index.ts';
import { inputsOf } from '../inputs.ts';
import { bits, check, few, type Input, type Target } from '../target.ts';
import { endUse, startUse } from './use-adapter.ts';
import { Watch } from './watch.ts';
import { frameBytes } from './websocket-bytes.ts';
import { bringAll, Wire } from './wire.ts';

/** Bytes of the answer to the handshake, and of what this side writes by itself. */
const OWN_BYTES = 1_000;
/** A ping costs 2 bytes at least, and so does its pong; an echo of one byte costs 3. */
const FACTOR = 3;

const servers = [true, false].map((allowHalfOpen) =>
  createServer({ allowHalfOpen, maxPayload: 100_000, readableHighWaterMark: 100 }),
);

/** What ws and the server read of a request; nothing else of it is there. */
function request(offersHalfClose: boolean): IncomingMessage {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...(offersHalfClose ? { 'wsconn-features': 'half-close' } : {}),
  };
  return { method: 'GET', url: '/', httpVersion: '1.1', headers } as unknown as IncomingMessage;
}

async function run(input: Input): Promise<string[]> {
  const server = servers[bits(input, 6)];
  if (!server) throw new Error('there are two servers');
  const wire = new Wire();
  const accepted = new Promise<WsConnAdapter>((resolve) => server.once('connection', resolve));
  server.handleUpgrade(request(bits(input, 7) === 1), wire, Buffer.alloc(0));
  const adapter = await accepted;
  const watch = new Watch(adapter);
  startUse(adapter, input);
  if (bits(input, 9) === 1) wire.hold();
  await bringAll(wire, input.chunks, bits(input, 8) === 1);
  await endUse(adapter, watch, wire, input);
  check(server.connections === 0, 'the server has no connection left');
  const sent = input.chunks.reduce((sum, { length }) => sum + length, 0);
  check(wire.written <= OWN_BYTES + FACTOR * sent, 'a client gets no flood for a few bytes');
  return [watch.outcome, `${few(adapter.bytesRead)} read`, `${few(adapter.bytesWritten)} written`];
}

export const serverAdapter: Target = {
  name: 'server-adapter',
  weight: 4,
  inputs: inputsOf(frameBytes(true), 8),
  run,
};
