/** Connections that come, talk and die in every way: none is lost, and none leaves anything behind. */
import { connect, type WsConnAdapter } from '../../../src/index.ts';
import { belongsAt, bytesAt } from '../pattern.ts';
import {
  type Case,
  type CaseOptions,
  type CaseResult,
  chance,
  check,
  within,
  Work,
} from './case.ts';
import { listen } from './endpoint.ts';
import { measureLoopDelay } from './loop-delay.ts';
import { MemoryTrend } from './memory.ts';

const FULL = 5_000;
const LEAST = 200;
/** Connections that are there at a time. */
const AT_ONCE = 50;
/** Of a hundred connections, so many have a keepalive. */
const KEEPALIVE_PERCENT = 25;
const CLOSE_TIMEOUT = 2_000;
/** Time in ms in which a connection must be over at both ends. */
const PATIENCE = 20_000;
const SAMPLES = 40;

/** One of the two ends, as it was seen. */
class End {
  received = 0;
  sent = 0;
  closes = 0;
  wrong = false;
  readonly socket: WsConnAdapter;
  readonly closed: Promise<void>;

  constructor(socket: WsConnAdapter) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (!belongsAt(this.received, chunk)) this.wrong = true;
      this.received += chunk.length;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.closes++;
        resolve();
      });
    });
  }

  send(length: number): void {
    if (!this.socket.writable) return;
    this.socket.write(bytesAt(this.sent, length));
    this.sent += length;
  }
}

/** How a connection dies, and whether all that was sent has arrived by then. */
const DEATHS: Record<string, { readonly whole: boolean; kill(end: End, other: End): void }> = {
  end: { whole: true, kill: ({ socket }) => socket.end() },
  'both end': {
    whole: true,
    kill: (end, other) => {
      end.socket.end();
      other.socket.end();
    },
  },
  close: { whole: false, kill: ({ socket }) => void socket.close(1011, 'load') },
  destroy: { whole: false, kill: ({ socket }) => socket.destroy() },
  fail: { whole: false, kill: ({ socket }) => socket.destroy(new Error('load')) },
  reset: { whole: false, kill: ({ socket }) => socket.resetAndDestroy() },
  terminate: {
    whole: false,
    kill: ({ socket }) => {
      socket.ws.terminate();
    },
  },
  'both close': {
    whole: false,
    kill: (end, other) => {
      void end.socket.close();
      void other.socket.close();
    },
  },
};
const HOW = Object.keys(DEATHS);

async function run(options: CaseOptions): Promise<CaseResult> {
  const random = chance(options.seed);
  const work = new Work(options, FULL, LEAST);
  const { server, url } = await listen({ closeTimeout: CLOSE_TIMEOUT });
  const arrivals = new Map<string, (end: End) => void>();
  const servedEnds: { accepted: number; closed: number } = { accepted: 0, closed: 0 };
  server.on('connection', (socket, request) => {
    const end = new End(socket);
    servedEnds.accepted++;
    void end.closed.then(() => servedEnds.closed++);
    arrivals.get(request.url ?? '')?.(end);
  });
  const keepalive = { interval: 200, pongTimeout: 10_000 };
  let begun = 0;
  let bytes = 0;
  let aborted = 0;

  /** One connection from its beginning to its end at both sides. */
  async function live(): Promise<void> {
    const path = `/${String(begun++)}`;
    const how = HOW[Math.floor(random() * HOW.length)] ?? 'end';
    const accepted = new Promise<End>((resolve) => arrivals.set(path, resolve));
    const isKept = random() * 100 < KEEPALIVE_PERCENT;
    const near = new End(
      connect(url + path, { closeTimeout: CLOSE_TIMEOUT, keepalive: isKept && keepalive }),
    );
    const what = (): string => `connection ${path} that died by ${how} is not over at both ends`;
    if (random() < 0.03) {
      // Dies while it connects: the server may see it or not, and its own count tells.
      aborted++;
      near.socket.destroy();
      await within(PATIENCE, near.closed, what);
      arrivals.delete(path);
      check(
        near.closes === 1,
        `a connection has one 'close', and ${path} has ${String(near.closes)}`,
      );
      return;
    }
    near.send(Math.floor(random() * 3_000));
    const far = await within(PATIENCE, accepted, what);
    arrivals.delete(path);
    for (let rounds = Math.floor(random() * 4); rounds > 0; rounds--) {
      near.send(Math.floor(random() ** 4 * 200_000));
      far.send(Math.floor(random() ** 4 * 200_000));
      await new Promise((resolve) =>
        random() < 0.5 ? setImmediate(resolve) : setTimeout(resolve, random() * 20),
      );
    }
    const [one, other] = random() < 0.5 ? [near, far] : [far, near];
    const death = DEATHS[how];
    death?.kill(one, other);
    await within(PATIENCE, Promise.all([near.closed, far.closed]), what);
    for (const end of [near, far]) {
      check(
        !end.wrong && end.received <= (end === near ? far : near).sent,
        'bytes arrive as they were sent',
      );
      bytes += end.received;
    }
    if (death?.whole === true) {
      const all = near.received === far.sent && far.received === near.sent;
      check(
        all && !near.socket.errored && !far.socket.errored,
        `what ends in order is whole: ${path}`,
      );
    }
    // A turn later, so that a second 'close' would have come.
    await new Promise((resolve) => setImmediate(resolve));
    check(near.closes === 1 && far.closes === 1, `each end of ${path} has one 'close'`);
  }

  const trend = new MemoryTrend('connections');
  const loopDelay = measureLoopDelay();
  const sampleEvery = Math.max(1, Math.floor(work.size / SAMPLES));
  let done = 0;
  const lane = async (): Promise<void> => {
    while (work.goesOn(begun)) {
      await live();
      if (++done % sampleEvery === 0) trend.sample(done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const late = loopDelay();

  const isEmpty = async (): Promise<void> => {
    while (server.connections > 0 || servedEnds.closed < servedEnds.accepted)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await within(PATIENCE, isEmpty(), () => `the server still counts ${String(server.connections)}`);
  await within(PATIENCE, server.close(), () => 'the server is not closed');
  return {
    counts: { connections: begun, bytes },
    notes: [
      `${String(begun)} connections of ${String(work.size)}, ${String(AT_ONCE)} at a time, ` +
        `${String(aborted)} of them given up while connecting: none unaccounted for`,
      trend.report(),
      late,
    ],
  };
}

export const connections: Case = { name: 'connections', weight: 5, run };
