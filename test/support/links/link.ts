import net, { type AddressInfo } from 'node:net';

import { resetSocket } from '../../../src/base/reset-socket.ts';
import { next } from '../events.ts';
import { Lane } from './lane.ts';

/** `up` goes from whoever connects to the target, `down` comes back. */
export type Direction = 'up' | 'down';

export interface LinkOptions {
  /** Bytes a second in each direction; no limit where left out. */
  readonly rate?: number;
  /** Time in ms that each byte takes one way. */
  readonly delay?: number;
  /**
   * Bytes that the hop itself holds in each direction before it reads no more; 65536 where left
   * out. The kernels hold more.
   */
  readonly buffer?: number;
  /** Bytes of the largest piece that is passed on at once. */
  readonly piece?: number;
  /**
   * Time in ms after which a connection with a silent direction is dropped, as load balancers do
   * it.
   */
  readonly idleLimit?: number;
}

/** Where a connection that is to come is cut. */
interface Cut {
  readonly at: number;
  readonly direction: Direction;
  readonly how: 'fin' | 'rst';
}

const DEFAULT_BUFFER = 65_536;
/** Time in ms between the last byte and the RST of a cut. */
const RESET_DELAY = 20;

/**
 * A hop over TCP as it is found between two ends in the field: slow, far, stingy with memory, and
 * mortal. It is a host of its own to both ends: what it has taken is acknowledged, and nobody knows
 * yet whether it arrives.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #target: number;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** What ends each connection that is there. */
  readonly #ends = new Set<(how: 'fin' | 'rst') => void>();
  readonly #lanes: Record<Direction, Set<Lane>> = { up: new Set(), down: new Set() };
  readonly #passed: Record<Direction, number> = { up: 0, down: 0 };
  readonly #stalled: Record<Direction, boolean> = { up: false, down: false };
  #cut: Cut | null = null;
  /** Connections that came so far. */
  connections = 0;
  /** Connections that the idle limit has ended. */
  drops = 0;

  constructor(target: number, options: LinkOptions) {
    this.#target = target;
    this.#options = options;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      this.#take(near);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await next(this.#server, 'listening');
  }

  /** Bytes that were passed on so far, over all connections. */
  passed(direction: Direction): number {
    return this.#passed[direction];
  }

  /** Passes nothing on any more; what comes is still taken, up to what the hop holds. */
  stall(direction: Direction | 'both'): void {
    this.#setStalled(direction, true);
  }

  /** Passes on again. */
  flow(direction: Direction | 'both'): void {
    this.#setStalled(direction, false);
  }

  /** Ends every connection on both sides now, by FIN or by RST. */
  cut(how: 'fin' | 'rst'): void {
    for (const end of [...this.#ends]) end(how);
  }

  /**
   * Cuts each connection that comes from now on when byte number `at` of a direction was passed on.
   */
  cutAt(at: number, direction: Direction, how: 'fin' | 'rst'): void {
    this.#cut = { at, direction, how };
  }

  /** Ends all, for good. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #setStalled(direction: Direction | 'both', stalled: boolean): void {
    for (const one of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
      this.#stalled[one] = stalled;
      for (const lane of this.#lanes[one]) lane.stalled = stalled;
    }
  }

  #take(near: net.Socket): void {
    this.connections++;
    const far = net.connect({
      port: this.#target,
      host: '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
    });
    const both = [near, far];
    const end = (how: 'fin' | 'rst'): void => {
      this.#ends.delete(end);
      // What has not been passed on is lost, and what still comes is thrown away: closed under
      // unread bytes, a socket would send RST where FIN was asked for.
      for (const lane of lanes) lane.stop();
      for (const socket of both) {
        if (socket.destroyed) continue;
        if (how === 'rst') resetSocket(socket);
        else if (socket.connecting) socket.destroy();
        else socket.end();
      }
    };
    this.#ends.add(end);
    let idle: NodeJS.Timeout | undefined;
    for (const socket of both) {
      this.#sockets.add(socket);
      // A reset goes through to the other side, as over one line.
      socket.on('error', () => {
        end('rst');
      });
      socket.once('close', () => {
        this.#sockets.delete(socket);
        clearTimeout(idle);
        if (!socket.readableEnded) end('fin');
        if (!both.every(({ destroyed }) => destroyed)) return;
        this.#ends.delete(end);
        // An end that the other side had no ear for any more is in there still.
        for (const lane of lanes) lane.stop();
      });
    }
    const { idleLimit } = this.#options;
    const touch = (): void => {
      if (idleLimit === undefined) return;
      clearTimeout(idle);
      idle = setTimeout(() => {
        this.drops++;
        end('fin');
      }, idleLimit);
    };
    touch();
    const lanes = [
      this.#lay('up', near, far, touch, end),
      this.#lay('down', far, near, touch, end),
    ];
  }

  #lay(
    direction: Direction,
    from: net.Socket,
    to: net.Socket,
    touch: () => void,
    end: (how: 'fin' | 'rst') => void,
  ): Lane {
    const cut = this.#cut?.direction === direction ? this.#cut : null;
    let passed = 0;
    const lane: Lane = new Lane(from, to, {
      rate: this.#options.rate ?? Infinity,
      delay: this.#options.delay ?? 0,
      buffer: this.#options.buffer ?? DEFAULT_BUFFER,
      piece: this.#options.piece ?? Infinity,
      budget: cut?.at ?? Infinity,
      onPassed: (bytes) => {
        passed += bytes;
        this.#passed[direction] += bytes;
        touch();
        if (!cut || passed < cut.at) return;
        // libuv reports bytes and an RST that come in one poll as bytes and an end.
        if (cut.how === 'rst') setTimeout(end, RESET_DELAY, 'rst');
        else end('fin');
      },
    });
    lane.stalled = this.#stalled[direction];
    this.#lanes[direction].add(lane);
    from.once('close', () => this.#lanes[direction].delete(lane));
    return lane;
  }
}
