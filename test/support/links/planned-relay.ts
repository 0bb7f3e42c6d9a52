/** A relay in front of a server that cuts one connection at a byte that was planned. */
import net, { type AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

import { next } from '../events.ts';

/** `up` goes to the server, `down` comes back. */
export type Direction = 'up' | 'down';

export class PlannedRelay {
  readonly #server: net.Server;
  readonly #cuts = new Set<() => void>();
  #plan: { readonly direction: Direction; readonly at: number } | null = null;

  private constructor(to: number) {
    this.#server = net.createServer({ noDelay: true }, (near) => {
      const plan = this.#plan;
      this.#plan = null;
      const far = net.connect({ port: to, host: '127.0.0.1', noDelay: true });
      const cut = (): void => {
        this.#cuts.delete(cut);
        near.destroy();
        far.destroy();
      };
      this.#cuts.add(cut);
      for (const socket of [near, far]) {
        socket.on('error', cut);
        socket.on('close', cut);
      }
      pass(near, far, plan?.direction === 'up' ? plan.at : Infinity, cut);
      pass(far, near, plan?.direction === 'down' ? plan.at : Infinity, cut);
    });
  }

  /** Starts one for one test. */
  static async start(to: number): Promise<PlannedRelay> {
    const relay = new PlannedRelay(to);
    relay.#server.listen(0, '127.0.0.1');
    await next(relay.#server, 'listening');
    onTestFinished(async () => {
      const closed = next(relay.#server, 'close');
      relay.#server.close();
      relay.cut();
      await closed;
    });
    return relay;
  }

  get url(): string {
    return `ws://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** The next connection is cut when so many bytes of a direction were passed on. */
  cutNextAt(direction: Direction, at: number): void {
    this.#plan = { direction, at };
  }

  /** Cuts what is there. */
  cut(): void {
    for (const cut of [...this.#cuts]) cut();
  }
}

function pass(from: net.Socket, to: net.Socket, most: number, cut: () => void): void {
  let left = most;
  from.on('data', (chunk: Buffer) => {
    const piece = chunk.subarray(0, Math.min(left, chunk.length));
    left -= piece.length;
    to.write(piece, () => {
      if (left === 0) cut();
    });
  });
}
