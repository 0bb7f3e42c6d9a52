/** What must compile: both sides of multistream-select, over any Duplex. Nothing here is run. */
import type net from 'node:net';
import type { Duplex } from 'node:stream';

import { connect, type WsConnAdapter } from '../../src/index.ts';
import {
  handle,
  type HandleOptions,
  type Negotiated,
  select,
  type SelectOptions,
  WsConnError,
} from '../../src/multistream/index.ts';
import type { YamuxStream } from '../../src/yamux/index.ts';

declare const stream: YamuxStream;
declare const socket: net.Socket;
declare const duplex: Duplex;
declare const names: readonly string[];
declare const given: SelectOptions & HandleOptions;

// The stream is of the kind that was given, the protocol one of those that were.
const one: Negotiated<YamuxStream, '/a'> = await select(stream, '/a');
export const sameStream: YamuxStream = one.stream;
export const two: '/a' | '/b' = (await handle(socket, ['/a', '/b'])).protocol;
export const sameSocket: net.Socket = (await handle(socket, names)).stream;
export const any: string = (await handle(duplex, names, given)).protocol;
export const adapter: WsConnAdapter = (await select(connect('wss://example.com'), '/a')).stream;
// @ts-expect-error it is one of those two
export const third: '/c' = (await handle(duplex, ['/a', '/b'])).protocol;

const signal = AbortSignal.timeout(1);
await select(duplex, '/a', { firstBytes: Buffer.alloc(1), signal, timeout: 1 });
await select(duplex, '/a', { firstBytes: 'x', signal: undefined });
await handle(duplex, names, { maxProposals: 1, signal, timeout: 1 });
// @ts-expect-error who answers has no first bytes
await handle(duplex, names, { firstBytes: 'x' });
// @ts-expect-error a stream has two directions
await select(process.stdin as NodeJS.ReadableStream, '/a');

export const isRefusal = (error: unknown): boolean =>
  error instanceof WsConnError && error.code === 'EPROTONOSUPPORT';
