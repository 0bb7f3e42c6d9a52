/**
 * Runs a cell of the table as it is in the field: connect() with a keepalive, real sockets, the
 * laboratory's link, and a peer made by hand that answers as the cell says.
 */
import { connect, type WsConnAdapter } from '../../../src/index.ts';
import { closeOf, next } from '../../support/events.ts';
import { Link } from '../../support/links/link.ts';
import { BINARY, PING, PONG } from '../../support/peers/frames.ts';
import { type RawPeer, rawServer } from '../../support/peers/raw-peer.ts';
import { answerDelay, type Cell, type Timing } from './cells.ts';

export const MEASURED_TIMING: Timing = { interval: 150, pongTimeout: 800 };
/** Bytes a second of a link that lets the queue drain: more than the slowest that there may be. */
const DRAIN_RATE = 40_000;
/** Bytes that fill the kernels, the link and our own queue. */
const BACKLOG = 12 * 1024 * 1024;
/** Bytes after which a reader that is paused holds the WebSocket back. */
const WATER_MARK = 16;
/** Time in ms between two messages of a direction that has traffic. */
const TRAFFIC_EVERY = 30;

/** When a keepalive has taken its peer for dead; times in ms. */
export interface Measured {
  /** Time since the connection was as the cell says; null for no death in the window. */
  readonly dead: number | null;
}

/** @param window - time in ms after which whoever is not dead will not be */
export async function measure(cell: Cell, window: number): Promise<Measured> {
  const { phase, queue } = cell;
  const server = await rawServer();
  const port = Number(new URL(server.url).port);
  const link = new Link(port, queue === 'draining' ? { rate: DRAIN_RATE } : {});
  await link.listen();
  if (phase === 'before open') link.stall('both');
  const adapter = connect(`ws://127.0.0.1:${String(link.port)}`, {
    allowHalfOpen: true,
    halfClose: true,
    keepalive: MEASURED_TIMING,
    closeTimeout: 2 * window,
    handshakeTimeout: 2 * window,
    readableHighWaterMark: WATER_MARK,
  });
  const closed = closeOf(adapter);
  const timers: NodeJS.Timeout[] = [];
  try {
    if (phase === 'before open') {
      if (cell.traffic === 'out') timers.push(every(() => adapter.write('x')));
    } else {
      const peer = await server.peer;
      if (adapter.connecting) await next(adapter, 'connect');
      void answerPings(cell, peer, timers);
      await begin(cell, adapter, peer, link);
      timers.push(...traffic(cell, adapter, peer));
    }
    return { dead: await watch(adapter, window, timers) };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    adapter.resetAndDestroy();
    await closed;
    await Promise.all([link.stop(), server.stop()]);
  }
}

function every(run: () => void): NodeJS.Timeout {
  return setInterval(run, TRAFFIC_EVERY);
}

/** Answers each ping that arrives, until TCP ends. */
async function answerPings(cell: Cell, peer: RawPeer, timers: NodeJS.Timeout[]): Promise<void> {
  const delay = answerDelay(cell.peer, MEASURED_TIMING);
  if (delay === Infinity) return;
  try {
    for (;;) {
      const { payload } = await peer.frame(PING);
      const answer = (): void => {
        peer.send(PONG, payload);
      };
      if (delay === 0) answer();
      else timers.push(setTimeout(answer, delay));
    }
  } catch {
    // TCP has ended, and there is nobody to answer.
  }
}

/** Brings an open connection to where the cell has it. */
async function begin(
  { phase, traffic, reading, queue }: Cell,
  adapter: WsConnAdapter,
  peer: RawPeer,
  link: Link,
): Promise<void> {
  if (reading === 'paused') {
    const paused = adapter.ws.isPaused ? null : pauseOf(adapter);
    peer.send(BINARY, Buffer.alloc(1_000));
    await paused;
  } else adapter.resume();
  if (queue === 'stuck') link.stall('up');
  if (queue !== 'empty') adapter.write(Buffer.alloc(BACKLOG));
  if (phase === 'closing') void adapter.close();
  if (phase !== 'half closed') return;
  // The direction that has ended is the one without traffic.
  if (traffic === 'out') peer.send(BINARY, '');
  else adapter.end();
}

/** Resolves when the adapter holds its WebSocket back. */
async function pauseOf(adapter: WsConnAdapter): Promise<void> {
  while (!adapter.ws.isPaused) await new Promise((resolve) => setImmediate(resolve));
}

function traffic({ traffic }: Cell, adapter: WsConnAdapter, peer: RawPeer): NodeJS.Timeout[] {
  const timers: NodeJS.Timeout[] = [];
  if (traffic === 'out' || traffic === 'both') timers.push(every(() => adapter.write('x')));
  if (traffic === 'in' || traffic === 'both') {
    timers.push(
      every(() => {
        peer.send(BINARY, 'x');
      }),
    );
  }
  return timers;
}

/** Resolves with when the peer was taken for dead, or with null when the window is over. */
function watch(
  adapter: WsConnAdapter,
  window: number,
  timers: NodeJS.Timeout[],
): Promise<number | null> {
  const since = performance.now();
  return new Promise((resolve, reject) => {
    adapter.ping().once('dead', () => {
      resolve(performance.now() - since);
    });
    adapter.once('close', () => {
      reject(new Error(`it closed by itself: ${String(adapter.errored)}`));
    });
    timers.push(
      setTimeout(() => {
        resolve(null);
      }, window),
    );
  });
}
