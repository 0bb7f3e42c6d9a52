/** A relay in front of a server whose connections can be cut. */
import { once } from 'node:events';
import net from 'node:net';

export class CuttingRelay {
  readonly #server: net.Server;
  readonly #clients = new Set<net.Socket>();
  readonly #upstreams = new Set<net.Socket>();
  /** Connections that were made so far. */
  accepted = 0;
  /** Whether new connections are cut at once, and how many were. */
  refuse = false;
  refused = 0;
  /** Whether those that come are reset at once: nobody is there. */
  unreachable = false;
  /** Age in ms at which those that come from now on end, busy or not. */
  endAfter = Infinity;

  private constructor(to: number) {
    this.#server = net.createServer((client) => {
      if (this.refuse) {
        this.refused++;
        client.destroy();
        return;
      }
      this.accepted++;
      if (this.unreachable) {
        client.resetAndDestroy();
        return;
      }
      const upstream = net.connect(to, '127.0.0.1');
      this.#clients.add(client);
      const age =
        this.endAfter < Infinity ? setTimeout(() => client.destroy(), this.endAfter) : undefined;
      this.#upstreams.add(upstream);
      const end = (): void => {
        clearTimeout(age);
        this.#clients.delete(client);
        this.#upstreams.delete(upstream);
        client.destroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) {
        socket.on('error', end);
        socket.on('close', end);
      }
      client.pipe(upstream);
      upstream.pipe(client);
    });
  }

  static async start(to: number, port = 0): Promise<CuttingRelay> {
    const relay = new CuttingRelay(to);
    relay.#server.listen(port, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${String(this.port)}`;
  }

  /** Whether it lets anybody in. */
  get listening(): boolean {
    return this.#server.listening;
  }

  /** Cuts what is there. */
  cut(): void {
    for (const client of this.#clients) client.destroy();
  }

  /** Has what is there carry nothing any more, without a word to either end. */
  stall(): void {
    for (const socket of [...this.#clients, ...this.#upstreams]) socket.unpipe().pause();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}
