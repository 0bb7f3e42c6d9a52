import { once } from 'node:events';
import net from 'node:net';

import { resetSocket } from '../../../src/base/reset-socket.ts';
import { random } from '../../stress/cuts/random.ts';

/** First byte of a ping, by which a server that has something to say asks for the first message. */
const PING = 0x89;
/** What ends the headers of a handshake. */
const END_OF_HEADERS = '\r\n\r\n';
/** Of so many connections one is cut within its handshake. */
const HANDSHAKE_OF = 6;
/** Bytes of a handshake, up and down. */
const HANDSHAKE_BYTES = 900;
/**
 * Bytes and time in ms that a connection needs to get on by a message, on a busy machine. Of those
 * that are cut before, so many come in a row at most: each makes a client wait longer before the
 * next.
 */
const ENOUGH = { bytes: 262_144, time: 100 };
const MOST_HOPELESS = 2;
/** Powers of ten of the bytes after which the others are cut, and time in ms from their beginning. */
const BYTES = { least: 4, most: 7.5 };
const TIME = { least: 5, most: 800 };

/**
 * A relay in front of a server that cuts each of its connections, after some bytes or some time,
 * but the first not before the server has answered to a message of the client: until then it would
 * not be held.
 */
export class HarassingRelay {
  readonly #server: net.Server;
  readonly #random: () => number;
  readonly #ends = new Set<() => void>();
  readonly #mostCuts: number;
  #gentle = false;
  /** Connections in a row that were not to get on. */
  #hopeless = 0;
  /** Connections that came and that were cut. */
  connections = 0;
  cuts = 0;

  private constructor(to: number, seed: number, mostCuts: number) {
    this.#random = random(seed);
    this.#mostCuts = mostCuts;
    this.#server = net.createServer({ noDelay: true }, (near) => {
      this.#take(near, net.connect({ port: to, host: '127.0.0.1', noDelay: true }));
    });
  }

  /** @param mostCuts - cuts after which it leaves its connections alone */
  static async start(to: number, seed: number, mostCuts = Infinity): Promise<HarassingRelay> {
    const relay = new HarassingRelay(to, seed, mostCuts);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${String(this.port)}`;
  }

  /** Cuts nothing any more. */
  relent(): void {
    this.#gentle = true;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const end of this.#ends) end();
    await closed;
  }

  #take(near: net.Socket, far: net.Socket): void {
    this.connections++;
    const isFirst = this.connections === 1;
    const both = [near, far];
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      this.#ends.delete(end);
      for (const socket of both) socket.destroy();
    };
    this.#ends.add(end);
    for (const socket of both) socket.on('error', end).on('close', end);
    const byReset = this.#random() < 0.5;
    const cut = (): void => {
      if (this.#gentle || near.destroyed) return;
      this.cuts++;
      if (this.cuts >= this.#mostCuts) this.relent();
      if (byReset) for (const socket of both) if (!socket.connecting) resetSocket(socket);
      end();
    };
    const limits = this.#drawLimits(isFirst);
    let budget = limits.bytes;
    let mayCut = !isFirst;
    const count = (bytes: number): void => {
      budget -= bytes;
      if (mayCut && budget <= 0) cut();
    };
    this.#onAnswered(far, () => {
      if (near.destroyed) return;
      mayCut = true;
      timer = setTimeout(cut, limits.time);
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      // What is beyond the budget is not passed on.
      from.on('data', (chunk: Buffer) => {
        const most = mayCut && !this.#gentle ? Math.max(0, budget) : chunk.length;
        if (!to.write(chunk.subarray(0, most))) from.pause();
        count(chunk.length);
      });
      to.on('drain', () => from.resume());
      from.once('end', () => to.end());
    }
  }

  /** Returns after how many bytes, and how many ms, the next connection is cut. */
  #drawLimits(isFirst: boolean): { readonly bytes: number; readonly time: number } {
    const inHandshake = !isFirst && this.#random() * HANDSHAKE_OF < 1;
    const power = BYTES.least + this.#random() * (BYTES.most - BYTES.least);
    const bytes = Math.floor(inHandshake ? this.#random() * HANDSHAKE_BYTES : 10 ** power);
    const time = TIME.least + this.#random() * (TIME.most - TIME.least);
    const isHopeless = bytes < ENOUGH.bytes || time < ENOUGH.time;
    if (isHopeless && this.#hopeless >= MOST_HOPELESS) {
      this.#hopeless = 0;
      return { bytes: Math.max(bytes, ENOUGH.bytes), time: Math.max(time, ENOUGH.time) };
    }
    this.#hopeless = isHopeless ? this.#hopeless + 1 : 0;
    return { bytes, time };
  }

  /** Calls back when a message has come from the server, which is its answer to one of the client. */
  #onAnswered(far: net.Socket, answered: () => void): void {
    let seen = '';
    const look = (chunk: Buffer): void => {
      seen += chunk.toString('latin1');
      const at = seen.indexOf(END_OF_HEADERS);
      if (at === -1) return;
      let frame = at + END_OF_HEADERS.length;
      while (seen.charCodeAt(frame) === PING) frame += 2 + seen.charCodeAt(frame + 1);
      if (!(seen.length > frame)) return;
      far.off('data', look);
      // The client gets it first.
      setImmediate(answered);
    };
    far.on('data', look);
  }
}
