import { duplexPair, type Duplex } from 'node:stream';

import { YamuxSession, type YamuxSessionOptions, type YamuxStream } from '../../src/yamux/index.ts';
import { closeOf, next } from '../support/events.ts';
import {
  adapterPair,
  type Dialler,
  type Pair,
  type PairOptions,
  tcpPair,
} from '../support/pairs/pairs.ts';

/** Makes what two sessions are to talk over. */
export type MakeTransport = () => Promise<Pair<Duplex>>;

/** Two sessions that talk to each other: `a` the client, `b` the server. */
export interface SessionPair {
  readonly a: YamuxSession;
  readonly b: YamuxSession;
  readonly transport: Pair<Duplex>;
  stop(): Promise<void>;
}

/** Makes two ends in memory, with back pressure and without a socket. */
export function memoryPair(): Promise<Pair<Duplex>> {
  const [a, b] = duplexPair();
  const stop = async (): Promise<void> => {
    a.destroy();
    b.destroy();
    await Promise.all([closeOf(a), closeOf(b)]);
  };
  return Promise.resolve({ a, b, stop });
}

export const overAdapter: MakeTransport = () => adapterPair();
export const overTcp: MakeTransport = () => tcpPair();

type Options = Omit<YamuxSessionOptions, 'role'>;

/**
 * Connects a client session to a server session; the options are for both, but those given for the
 * server alone.
 */
export async function sessionPair(
  options: Options = {},
  serverOptions: Options = options,
  makeTransport: MakeTransport = memoryPair,
): Promise<SessionPair> {
  const transport = await makeTransport();
  const a = new YamuxSession(transport.a, { role: 'client', ...options });
  const b = new YamuxSession(transport.b, { role: 'server', ...serverOptions });
  const stop = async (): Promise<void> => {
    await Promise.all([a.close(), b.close()]);
    await transport.stop();
  };
  return { a, b, transport, stop };
}

/** Opens a stream from one session to the other, and waits until both ends have it. */
export async function openStream(
  from: YamuxSession,
  to: YamuxSession,
  options: PairOptions = {},
): Promise<Pair<YamuxStream>> {
  const accepted = next(to, 'stream');
  const a = from.open(options);
  const [b] = (await accepted) as [YamuxStream];
  if (a.connecting) await next(a, 'connect');
  const stop = async (): Promise<void> => {
    a.destroy();
    b.destroy();
    await Promise.all([closeOf(a), closeOf(b)]);
  };
  return { a, b, stop };
}

/** Makes one stream within a session of its own, opened by the client or by the server. */
export async function streamPair(
  { signal, ...options }: PairOptions = {},
  makeTransport: MakeTransport = memoryPair,
  opener: 'client' | 'server' = 'client',
): Promise<Pair<YamuxStream>> {
  const sessions = await sessionPair(options, options, makeTransport);
  const [from, to] = opener === 'client' ? [sessions.a, sessions.b] : [sessions.b, sessions.a];
  const pair = await openStream(from, to, signal ? { ...options, signal } : options);
  const stop = async (): Promise<void> => {
    await pair.stop();
    await sessions.stop();
  };
  return { ...pair, stop };
}

/**
 * Makes a session whose `open()` opens a stream; what the other end accepts is read to its end and
 * dropped.
 */
export async function streamDialler(): Promise<Dialler<YamuxStream>> {
  const sessions = await sessionPair();
  const ends = new Set<YamuxStream>();
  sessions.b.on('stream', (stream) => {
    ends.add(stream);
    stream.on('error', () => undefined).resume();
  });
  const open = (options: PairOptions = {}): YamuxStream => {
    const stream = sessions.a.open(options);
    ends.add(stream);
    return stream;
  };
  const stop = async (): Promise<void> => {
    for (const end of ends) end.destroy();
    await Promise.all(Array.from(ends, closeOf));
    await sessions.stop();
  };
  return { open, stop };
}
