/**
 * A link of one rate for all of its connections together, each way: `PORT NEXT_PORT RATE`. What
 * comes waits in one queue for its turn, as in a modem.
 */
import net, { type Socket } from 'node:net';

import { HOST } from './arguments.ts';

const [port, next, rate] = process.argv.slice(2).map(Number);

/** Time in ms between two looks at what may leave. */
const TICK = 5;
/** Bytes that the link holds before it takes no more. */
const MOST_HELD = 65_536;

class Lane {
  readonly #queue: { readonly bytes: Buffer; readonly to: Socket }[] = [];
  readonly #held = new Set<Socket>();
  #bytes = 0;
  #mayPass = 0;
  #tickedAt = performance.now();

  constructor() {
    setInterval(() => {
      this.#tick();
    }, TICK);
  }

  carry(from: Socket, to: Socket): void {
    from.on('data', (bytes: Buffer) => {
      this.#queue.push({ bytes, to });
      this.#bytes += bytes.length;
      if (this.#bytes < MOST_HELD) return;
      this.#held.add(from);
      from.pause();
    });
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  }

  #tick(): void {
    const now = performance.now();
    this.#mayPass += ((rate ?? 0) * (now - this.#tickedAt)) / 1000;
    this.#tickedAt = now;
    for (;;) {
      const [first] = this.#queue;
      // A link that has nothing to carry saves nothing up.
      if (!first) this.#mayPass = 0;
      if (!first || this.#mayPass < 1) break;
      const piece = first.bytes.subarray(0, Math.floor(this.#mayPass));
      this.#queue.shift();
      const rest = first.bytes.subarray(piece.length);
      if (rest.length > 0) this.#queue.unshift({ bytes: rest, to: first.to });
      this.#mayPass -= piece.length;
      this.#bytes -= piece.length;
      if (!first.to.destroyed) first.to.write(piece);
    }
    if (this.#bytes >= MOST_HELD) return;
    for (const from of this.#held) from.resume();
    this.#held.clear();
  }
}

const [up, down] = [new Lane(), new Lane()];
net
  .createServer({ noDelay: true }, (near) => {
    const far = net.connect({ port: next ?? 0, host: HOST, noDelay: true });
    up.carry(near, far);
    down.carry(far, near);
  })
  .listen(port, HOST);
