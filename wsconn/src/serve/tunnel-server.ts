import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { pipeline } from 'node:stream/promises';

import {
  type Authenticate,
  createServer,
  type SocketDuplex,
  type WsConnAdapter,
  type WsConnServer,
} from 'ws-conn-adapter';
import { MUX_PROTOCOL } from 'ws-conn-adapter/yamux';

import { BAD_GATEWAY, FORBIDDEN, SERVICE_RESTART } from '../console/codes.ts';
import { quoted } from '../console/escape.ts';
import { explain } from '../console/explain.ts';
import { type HostPort, showHostPort } from '../console/host-port.ts';
import type { Log } from '../console/log.ts';
import { PROBE_PROTOCOL } from '../dial/probe.ts';
import { webSocketClosed } from '../tunnel/close.ts';
import { Mux } from '../tunnel/mux.ts';
import { forwardToTarget } from './forward-to-target.ts';

export interface TunnelServerOptions {
  readonly target: HostPort;
  readonly path?: string | undefined;
  /** Origins of pages that get in. */
  readonly origins: readonly string[];
  readonly authenticate?: Authenticate | undefined;
  readonly maxConnections?: number | undefined;
  /** Time in ms between pings; 0 for none. */
  readonly keepalive: number;
  readonly log: Log;
}

const SHUTTING_DOWN = 'the server is shutting down: connect again';

/**
 * Time in ms after which a probe is closed: without pings of our own, a client that is gone would
 * never be noticed.
 */
const PROBE_LIMIT = 3_600_000;

/** Kinds of WebSocket, by the subprotocol that was agreed on. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['', 'connection'],
  [PROBE_PROTOCOL, 'probe'],
  [MUX_PROTOCOL, 'multiplexer'],
]);

/** Forwards the WebSockets of one HTTP server to the target, and can end in order. */
export class TunnelServer {
  readonly #options: TunnelServerOptions;
  readonly #http: HttpServer | HttpsServer;
  readonly #server: WsConnServer;
  /** Connections whose WebSocket has not closed yet, each with what asks it to end by itself. */
  readonly #open = new Map<WsConnAdapter, () => void>();
  #streams = 0;
  #count = 0;
  #whenEmpty: () => void = () => undefined;

  constructor(http: HttpServer | HttpsServer, options: TunnelServerOptions) {
    this.#options = options;
    this.#http = http;
    const { path, origins, authenticate, maxConnections } = options;
    this.#server = createServer(
      {
        server: http,
        path,
        origins,
        authenticate,
        maxConnections,
        handleProtocols: (offered) => [...offered].find((name) => KINDS.has(name)) ?? false,
      },
      (adapter, request) => {
        this.#accept(adapter, request);
      },
    );
    this.#server.on('error', (error) => {
      // Whoever called listen() reports that it failed.
      if (http.listening) options.log.info(explain(error));
    });
    this.#server.on('refused', (request, status, cause) => {
      options.log.info(
        `refused ${clientOf(request)} with ${String(status)}${whyRefused(request, status, cause)}`,
      );
    });
  }

  /**
   * Accepts no new connections, lets the open ones finish for `ms`, then closes the rest with a
   * reason. Returns how many those were.
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

  /** Resolves when nothing is open any more, after `ms` at the latest. */
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

  #accept(adapter: WsConnAdapter, request: IncomingMessage): void {
    const { protocol } = adapter.ws;
    const name = `${KINDS.get(protocol) ?? 'connection'} ${String(++this.#count)}`;
    const { log, keepalive } = this.#options;
    log.info(`${name} from ${clientOf(request)} opened`);
    this.#open.set(adapter, () => undefined);
    void webSocketClosed(adapter).then(() => {
      this.#open.delete(adapter);
      if (this.#open.size === 0) this.#whenEmpty();
    });
    if (keepalive > 0 && protocol !== PROBE_PROTOCOL) adapter.ping({ interval: keepalive });
    if (protocol === MUX_PROTOCOL) this.#follow(name, adapter, this.#serveMux(name, adapter));
    else if (protocol === PROBE_PROTOCOL) this.#follow(name, adapter, this.#serveProbe(adapter));
    else this.#follow(name, adapter, this.#serveConnection(adapter));
  }

  #serveConnection(adapter: WsConnAdapter): Promise<void> {
    return forwardToTarget(adapter, this.#options.target, (reason) => {
      void adapter.close(BAD_GATEWAY, reason);
    });
  }

  /**
   * Echoes what arrives and sends nothing else, so that a client can find out what the path does to
   * idle connections.
   */
  async #serveProbe(adapter: WsConnAdapter): Promise<void> {
    this.#open.set(adapter, () => {
      void adapter.close(SERVICE_RESTART, SHUTTING_DOWN);
    });
    const limit = setTimeout(() => {
      void adapter.close();
    }, PROBE_LIMIT);
    try {
      await pipeline(adapter, adapter);
    } finally {
      clearTimeout(limit);
    }
  }

  async #serveMux(name: string, adapter: WsConnAdapter): Promise<void> {
    const { log, target, maxConnections = Infinity } = this.#options;
    const mux = new Mux(adapter, 'server');
    this.#open.set(adapter, () => {
      mux.retire();
    });
    mux.onStream((stream) => {
      const streamName = `${name}, stream ${String(stream.id)}`;
      if (this.#streams >= maxConnections) {
        log.info(`${streamName} refused: ${String(maxConnections)} are open already`);
        stream.resetAndDestroy();
        return;
      }
      this.#streams++;
      stream.once('close', () => this.#streams--);
      const reset = (): void => {
        stream.resetAndDestroy();
      };
      this.#follow(streamName, stream, forwardToTarget(stream, target, reset));
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
        ended(`failed (${explain(error, 'client')})`);
        log.stack(error);
      },
    );
  }
}

function whyRefused({ headers }: IncomingMessage, status: number, cause: unknown): string {
  if (status === FORBIDDEN && headers.origin !== undefined) {
    return `: --allow-origin does not list the Origin ${quoted(headers.origin)}`;
  }
  return cause === undefined ? '' : ` (${explain(cause)})`;
}

/**
 * Returns the address of a client, and the one that a proxy in front of the server reports, which
 * anybody can forge.
 */
function clientOf(request: IncomingMessage): string {
  const { remoteAddress, remotePort } = request.socket;
  const forwarded = request.headers['x-forwarded-for'];
  const address = showHostPort({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 });
  return forwarded === undefined
    ? address
    : `${address} (X-Forwarded-For: ${quoted(String(forwarded))})`;
}
