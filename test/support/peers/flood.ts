import net from 'node:net';

import { onTestFinished } from 'vitest';

import { connect, type ConnectOptions, type WsConnAdapter } from '../../../src/index.ts';
import { next } from '../events.ts';
import { stopAfterTest } from '../pairs/meet.ts';
import { readExactly } from '../reading.ts';
import { handshakeRequest, RawPeer, readHead } from './raw-peer.ts';

/** Addresses of this machine that a server takes for other machines; Linux has all of 127/8. */
export const [HONEST, ATTACKER] = ['127.0.0.2', '127.0.0.3'];

/** Opens a TCP connection from an address; it is cut when the test is over. */
export async function dialFrom(localAddress: string, port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await next(socket, 'connect');
  return socket;
}

/** Opens so many TCP connections, and sends on each what it is given. */
export function flood(
  count: number,
  port: number,
  bytes: string | Buffer = '',
  from = ATTACKER,
): Promise<net.Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = await dialFrom(from, port);
      socket.resume().write(bytes);
      return socket;
    }),
  );
}

/** Opens a WebSocket by hand from the attacker's address. */
export async function attack(port: number, lines?: Record<string, string>): Promise<RawPeer> {
  const socket = await dialFrom(ATTACKER, port);
  socket.write(handshakeRequest(lines));
  const { rest } = await readHead(socket);
  return new RawPeer(socket, rest, true);
}

/** Sends a byte every few ms, until the other side has ended the connection. */
export function drip(socket: net.Socket, bytes: Iterable<string | Buffer>): Promise<void> {
  const each = bytes[Symbol.iterator]();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const next = each.next();
      if (next.done !== true && socket.writable) socket.write(next.value);
    }, 5);
    const stop = (): void => {
      clearInterval(timer);
      resolve();
    };
    socket.once('close', stop);
    onTestFinished(stop);
  });
}

/** Connects as an honest client does, from an address of its own. */
export async function honest(url: string, options: ConnectOptions = {}): Promise<WsConnAdapter> {
  const adapter = connect(url, { localAddress: HONEST, ...options });
  stopAfterTest(adapter);
  await new Promise<void>((resolve, reject) => {
    adapter.once('connect', resolve);
    adapter.once('error', reject);
  });
  return adapter;
}

/** Writes to a server that echoes, and fails unless the same comes back. */
export async function expectEcho(
  adapter: WsConnAdapter,
  text = 'is anybody there?',
): Promise<void> {
  adapter.write(text);
  const answer = await readExactly(adapter, Buffer.byteLength(text));
  if (answer.toString() !== text)
    throw new Error(`the echo of an honest client is ${String(answer)}`);
}
