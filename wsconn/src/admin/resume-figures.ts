import { Counter, Gauge, type Registry } from 'prom-client';

/** Counts connections that lost their WebSocket and are held, and those whose client came back. */
export class ResumeFigures {
  readonly #held = new Set<object>();
  readonly #reconnects: Counter;

  constructor(registry: Registry) {
    const held = this.#held;
    new Gauge({
      name: 'wsconn_held_connections',
      help: 'Connections that are held without a WebSocket, for their clients.',
      registers: [registry],
      collect() {
        this.set(held.size);
      },
    });
    this.#reconnects = new Counter({
      name: 'wsconn_reconnects_total',
      help: 'Held connections whose client came back.',
      registers: [registry],
    });
  }

  lost(connection: object): void {
    this.#held.add(connection);
  }

  back(connection: object): void {
    this.#held.delete(connection);
    this.#reconnects.inc();
  }

  /** It is held no more: it has ended. */
  closed(connection: object): void {
    this.#held.delete(connection);
  }
}
