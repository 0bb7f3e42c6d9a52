import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

import {
  type Authenticate,
  createServer,
  type SocketDuplex,
  type WsConnAdapter,
  type WsConnServer,
} from 'ws-conn-adapter';

import { echo } from './echo.ts';
import { SERVICE_RESTART } from '../console/codes.ts';
import { explain } from '../console/explain.ts';
import { gone } from '../tunnel/gone.ts';
import { type HostPort, showHostPort } from '../console/host-port.ts';
import type { Log } from '../console/log.ts';
import type { Mux } from '../tunnel/mux.ts';
import { leadToTarget, serveAdapter } from './forward-to-target.ts';
import { MUX_PROTOCOL, PROBE_PROTOCOL } from '../dial/subprotocols.ts';

export interface ServiceOptions {
  readonly target: HostPort;
  readonly path?: string | undefined;
  readonly authenticate?: Authenticate | undefined;
  readonly maxConnections?: number | undefined;
  /** Time in ms between pings; 0 for none. */
  readonly keepalive: number;
  readonly log: Log;
}

const SHUTTING_DOWN = 'the server is shutting down: connect again';

/** Kinds of WebSocket, by the subprotocol that was agreed on. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['', 'connection'],
  [PROBE_PROTOCOL, 'probe'],
  [MUX_PROTOCOL, 'multiplexer'],
]);

/** Leads the WebSockets of one HTTP server to the target, and can come to an end in order. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #http: HttpServer | HttpsServer;
  readonly #server: WsConnServer;
  /**
   * What is open, or of which something is left on its way, each with what asks it to end by
   * itself.
   */
  readonly #open = new Map<WsConnAdapter, () => void>();
  #streams = 0;
  #count = 0;
  #whenEmpty: () => void = () => undefined;

  constructor(http: HttpServer | HttpsServer, options: ServiceOptions) {
    this.#options = options;
    this.#http = http;
    const { path, authenticate, maxConnections } = options;
    this.#server = createServer(
      {
        server: http,
        path,
        authenticate,
        maxConnections,
        handleProtocols: (offered) => [...offered].find((name) => KINDS.has(name)) ?? false,
      },
      (adapter, request) => {
        this.#take(adapter, request);
      },
    );
    this.#server.on('error', (error) => {
      // That it could not listen is for who told it to.
      if (http.listening) options.log.info(explain(error));
    });
    this.#server.on('refused', (request, status, cause) => {
      const why = cause === undefined ? '' : ` (${explain(cause)})`;
      options.log.info(`refused ${whoAsks(request)} with ${String(status)}${why}`);
    });
  }

  /**
   * Takes no new connections, lets the open ones finish for `ms`, then ends them with a Close that
   * says why. Gives how many had to be ended.
   */
  async drain(ms: number): Promise<number> {
    this.#http.close();
    this.#server.maxConnections = 0;
    for (const askToEnd of this.#open.values()) askToEnd();
    await this.#empty(ms);
    const left = [...this.#open.keys()];
    await Promise.all(left.map((adapter) => adapter.close(SERVICE_RESTART, SHUTTING_DOWN)));
    await this.#server.close();
    this.#http.closeAllConnections();
    return left.length;
  }

  /** Resolves when nothing is open any more, at the latest after `ms`. */
  async #empty(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(adapter: WsConnAdapter, request: IncomingMessage): void {
    const { protocol } = adapter.ws;
    const name = `${KINDS.get(protocol) ?? 'connection'} ${String(++this.#count)}`;
    const { log, target, keepalive } = this.#options;
    log.info(`${name} from ${whoAsks(request)} opened`);
    this.#open.set(adapter, () => undefined);
    void gone(adapter).then(() => {
      this.#open.delete(adapter);
      if (this.#open.size === 0) this.#whenEmpty();
    });
    if (keepalive > 0 && protocol !== PROBE_PROTOCOL) adapter.ping({ interval: keepalive });
    if (protocol === MUX_PROTOCOL) this.#follow(name, adapter, this.#serveMux(name, adapter));
    else if (protocol === PROBE_PROTOCOL) this.#follow(name, adapter, this.#serveProbe(adapter));
    else this.#follow(name, adapter, serveAdapter(adapter, target));
  }

  async #serveProbe(adapter: WsConnAdapter): Promise<void> {
    this.#open.set(adapter, () => {
      void adapter.close(SERVICE_RESTART, SHUTTING_DOWN);
    });
    await echo(adapter);
  }

  async #serveMux(name: string, adapter: WsConnAdapter): Promise<void> {
    const { log, target, maxConnections = Infinity } = this.#options;
    // Loaded only where somebody uses it.
    const { Mux } = await import('../tunnel/mux.ts');
    const mux: Mux = new Mux(adapter, 'server');
    this.#open.set(adapter, () => {
      mux.retire();
    });
    mux.onStream((stream) => {
      const streamName = `${name}, stream ${String(stream.id)}`;
      if (this.#streams >= maxConnections) {
        log.info(`${streamName} refused: there are ${String(maxConnections)} already`);
        stream.resetAndDestroy();
        return;
      }
      this.#streams++;
      stream.once('close', () => this.#streams--);
      const breakOff = (): void => {
        stream.resetAndDestroy();
      };
      this.#follow(streamName, stream, leadToTarget(stream, target, breakOff));
    });
    const error = await mux.closed;
    if (error) throw error;
  }

  /** Logs how something ends. */
  #follow(name: string, stream: SocketDuplex, served: Promise<void>): void {
    const { log } = this.#options;
    const since = performance.now();
    const ended = (how: string): void => {
      const seconds = ((performance.now() - since) / 1000).toFixed(1);
      const bytes = `${String(stream.bytesRead)} bytes in, ${String(stream.bytesWritten)} bytes out`;
      log.info(`${name} ${how} after ${seconds} s: ${bytes}`);
    };
    served.then(
      () => {
        ended('ended');
      },
      (error: unknown) => {
        ended(`broke off (${explain(error, 'client')})`);
        log.stack(error);
      },
    );
  }
}

/**
 * Gives the address of a client, and the one that a proxy before the server tells of, which anybody
 * can make up.
 */
function whoAsks(request: IncomingMessage): string {
  const { remoteAddress, remotePort } = request.socket;
  const forwarded = request.headers['x-forwarded-for'];
  const address = showHostPort({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 });
  return forwarded === undefined ? address : `${address} (X-Forwarded-For: ${String(forwarded)})`;
}
