import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

import type { WsConnAdapter } from '../adapter.ts';
import type { Authenticate } from '../gatekeeper.ts';
import { createServer, type WsConnServer } from '../server.ts';

import { echo } from './echo.ts';
import { explain } from './explain.ts';
import { type HostPort, showHostPort } from './host-port.ts';
import type { Log } from './log.ts';
import { serveSession } from './session.ts';
import { PROBE_PROTOCOL } from './subprotocols.ts';

export interface ServiceOptions {
  readonly target: HostPort;
  readonly path?: string | undefined;
  readonly authenticate?: Authenticate | undefined;
  readonly maxConnections?: number | undefined;
  /** Time in ms between pings; 0 for none. */
  readonly keepalive: number;
  readonly log: Log;
}

/** Service restart: the server shuts down (the IANA registry of WebSocket close codes). Unlike 1001, no orderly end of the stream. */
const SERVICE_RESTART = 1012;
const SHUTTING_DOWN = 'the server is shutting down: connect again';

/** Kinds of WebSocket, by the subprotocol that was agreed on. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['', 'connection'],
  [PROBE_PROTOCOL, 'probe'],
]);

/** Leads the WebSockets of one HTTP server to the target, and can come to an end in order. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #http: HttpServer | HttpsServer;
  readonly #server: WsConnServer;
  /** What is open, and whether it carries nothing that could be lost. */
  readonly #open = new Map<WsConnAdapter, { readonly idle: boolean }>();
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
    this.#server.on('refused', (request, status, cause) => {
      const why = cause === undefined ? '' : ` (${explain(cause)})`;
      options.log.info(`refused ${whoAsks(request)} with ${String(status)}${why}`);
    });
  }

  /**
   * Takes no new connections, lets the open ones finish for `ms`, then ends them with a Close that says why. Gives how many had
   * to be ended.
   */
  async drain(ms: number): Promise<number> {
    this.#http.close();
    this.#server.maxConnections = 0;
    for (const [adapter, { idle }] of this.#open) {
      if (idle) void adapter.close(SERVICE_RESTART, SHUTTING_DOWN);
    }
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
    const kind = KINDS.get(adapter.ws.protocol) ?? 'connection';
    const idle = adapter.ws.protocol === PROBE_PROTOCOL;
    const name = `${kind} ${String(++this.#count)}`;
    const { log, target, keepalive } = this.#options;
    this.#open.set(adapter, { idle });
    adapter.once('close', () => {
      this.#open.delete(adapter);
      if (this.#open.size === 0) this.#whenEmpty();
    });
    const since = performance.now();
    log.info(`${name} from ${whoAsks(request)} opened`);
    if (keepalive > 0 && !idle) adapter.ping({ interval: keepalive });
    const served = idle ? echo(adapter) : serveSession(adapter, target);
    const ended = (how: string): void => {
      const seconds = ((performance.now() - since) / 1000).toFixed(1);
      const bytes = `${String(adapter.bytesRead)} bytes in, ${String(adapter.bytesWritten)} bytes out`;
      log.info(`${name} ${how} after ${seconds} s: ${bytes}`);
    };
    served.then(
      () => {
        ended('ended');
      },
      (error: unknown) => {
        ended(`broke off (${explain(error)})`);
        log.stack(error);
      },
    );
  }
}

/** Gives the address of a client, and the one that a proxy before the server tells of, which anybody can make up. */
function whoAsks(request: IncomingMessage): string {
  const { remoteAddress, remotePort } = request.socket;
  const forwarded = request.headers['x-forwarded-for'];
  const address = showHostPort({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 });
  return forwarded === undefined ? address : `${address} (X-Forwarded-For: ${String(forwarded)})`;
}
