import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

import { createServer, type WsConnServer, type WsConnSocket } from 'ws-conn-adapter';
import { MUX_PROTOCOL, type YamuxStream } from 'ws-conn-adapter/yamux';

import { clientOf, showAddress, showClient } from '../../admit/client-address.ts';
import { SERVICE_RESTART, UNAUTHORIZED } from '../../console/codes.ts';
import { quoted } from '../../console/escape.ts';
import { explain } from '../../console/explain.ts';
import { PROBE_PROTOCOL } from '../../dial/probe.ts';
import { TargetError } from '../../target/dial-target.ts';
import { type Ending, forwardToTarget } from '../../target/forward-to-target.ts';
import type { Client, TargetDialer } from './target-dialer.ts';
import { refuseStream, wayOfHeader, wayOfStream, wayOfUrl } from '../../target/ways.ts';
import { MUX_WITH_HEADERS, STREAM_WITH_HEADER } from '../../tunnel/stream-header.ts';
import { pathOf, RefusalLog } from './refusal-log.ts';
import { OpenConnections, SHUTTING_DOWN } from './open-connections.ts';
import { serveMux } from './serve-mux.ts';
import { Places } from './places.ts';
import { serveProbe } from './serve-probe.ts';
import { logEnding, type Tunnel, type TunnelKind } from './tunnel.ts';
import type { TunnelServerOptions, TunnelServerSettings } from './tunnel-server-options.ts';
import { watchPath } from './watch-path.ts';

/** What happens, for figures. */
export interface TunnelServerEvents {
  opened: [tunnel: Tunnel];
  closed: [tunnel: Tunnel, failed: boolean];
  /** A handshake was refused with an HTTP status. */
  refused: [status: number];
  /** A stream of a multiplexer was reset: too many are open. */
  streamRefused: [];
  /** The WebSocket of a connection is gone, which waits for its client. */
  disconnected: [tunnel: Tunnel];
  /** Its client is back. */
  reconnected: [tunnel: Tunnel];
  /** A place may have come free. */
  freed: [];
  /** A client answered a ping of the keepalive, after so many ms. */
  roundTrip: [ms: number, tunnel: Tunnel];
}

/** Kinds of WebSocket, by the subprotocol that was agreed on. */
const KINDS: ReadonlyMap<string, TunnelKind> = new Map([
  [PROBE_PROTOCOL, 'probe'],
  [MUX_WITH_HEADERS, 'multiplexer'],
  [MUX_PROTOCOL, 'multiplexer'],
  [STREAM_WITH_HEADER, 'connection'],
]);

/** Forwards the WebSockets of one HTTP server to their targets, and can end in order. */
export class TunnelServer extends EventEmitter<TunnelServerEvents> {
  #options: TunnelServerOptions;
  readonly #http: HttpServer | HttpsServer;
  readonly #server: WsConnServer<WsConnSocket>;
  readonly #open = new OpenConnections();
  /** Tells the connections of this run from those of others, in the log. */
  readonly #run = randomBytes(3).toString('hex');
  readonly #places: Places;
  #count = 0;

  constructor(http: HttpServer | HttpsServer, options: TunnelServerOptions) {
    super();
    this.#options = options;
    this.#http = http;
    const { admission, log, maxConnections, maxPayload, origins, resume } = options;
    const refusals = new RefusalLog(log, admission);
    this.#server = createServer(
      {
        server: http,
        origins,
        authenticate: admission.authenticate,
        maxConnections,
        maxPayload,
        resume,
        handleProtocols: (offered) =>
          [...offered].find((name) => KINDS.has(name) || this.#options.protocols.includes(name)) ??
          false,
      },
      (adapter, request) => {
        this.#accept(adapter, request);
      },
    );
    this.#places = new Places(this.#server, () => this.emit('freed'));
    this.#server.on('error', (error) => {
      // Whoever called listen() reports that it failed.
      if (http.listening) log.error(explain(error));
    });
    this.#server.on('refused', (request, status, cause) => {
      refusals.refused(request, status, cause);
      this.emit('refused', status);
      this.#places.freed();
    });
    this.#server.on('drop', (dropped) => {
      refusals.dropped(dropped);
    });
    admission.onHungUp = (request) => {
      refusals.hungUp(request);
      this.emit('refused', UNAUTHORIZED);
    };
  }

  /** Connections that may still come. */
  get freePlaces(): number {
    return this.#server.freePlaces;
  }

  /** The most connections and streams at once. */
  get places(): number {
    return this.#places.limit;
  }

  set places(places: number) {
    this.#places.limit = places;
  }

  /** Handshakes that may wait: half of the places are for those that need not. */
  get waitingRoom(): number {
    const { maxConnections = Infinity, worker } = this.#options;
    const shared = this.#places.shared && worker ? maxConnections / worker.count : undefined;
    const { connections, maxConnections: own } = this.#server;
    return Math.floor(((shared ?? own) - connections) / 2);
  }

  /**
   * Shares its limit with others from now on.
   * @param whenFree - calls back when there may be room for one more
   */
  share(whenFree: (run: () => void) => void): void {
    this.#places.share(whenFree);
  }

  /** Treats new connections by other settings. */
  set settings(settings: TunnelServerSettings) {
    this.#options = { ...this.#options, ...settings };
    // Those who share it are told what they may have.
    if (this.#places.shared) return;
    const { maxConnections } = settings;
    const { count = 1 } = this.#options.worker ?? {};
    this.places =
      maxConnections === undefined
        ? // What the library takes then.
          createServer().maxConnections
        : Math.floor(maxConnections / count);
  }

  /** Accepts no new connections; those who ask get 503. */
  refuseNew(): void {
    this.#places.refuseNew();
  }

  /**
   * Stops listening, lets the open connections finish for `ms`, then closes the rest with a reason.
   * Returns how many those were.
   */
  async drain(ms: number): Promise<number> {
    this.refuseNew();
    this.#http.close();
    const cut = await this.#open.drain(ms);
    await this.#server.close();
    this.#http.closeAllConnections();
    return cut;
  }

  #accept(adapter: WsConnSocket, request: IncomingMessage): void {
    const protocol = protocolOf(adapter);
    const { admission, keepalive } = this.#options;
    const client = { ...admission.of(request), request };
    admission.makeRoom();
    const tunnel = this.#tunnelOf(adapter, client);
    const { kind, name, log } = tunnel;
    const who = client.who === undefined ? '' : ` as ${quoted(client.who)}`;
    const to = tunnel.target ? ` to ${quoted(tunnel.target)}` : '';
    log.info(`${name} from ${showClient(request)}${who}${to} opened`, { event: 'opened' });
    this.#open.add(adapter);
    adapter.once('close', this.#places.freed);
    adapter.on('pong', (ms: number) => this.emit('roundTrip', ms, tunnel));
    if (keepalive > 0 && kind !== 'probe') adapter.ping({ interval: keepalive });
    watchPath(adapter, tunnel, {
      lost: () => this.emit('disconnected', tunnel),
      back: () => this.emit('reconnected', tunnel),
    });
    if (kind === 'probe') {
      this.#open.onDrain(adapter, () => {
        void adapter.close(SERVICE_RESTART, SHUTTING_DOWN);
      });
      this.#follow(tunnel, serveProbe(adapter));
    } else if (kind === 'multiplexer') {
      const mux = serveMux(adapter, this.#options.maxStreams, (stream) => {
        this.#acceptStream(tunnel, client, stream, protocol === MUX_WITH_HEADERS);
      });
      this.#open.onDrain(adapter, mux.retire);
      this.#follow(tunnel, mux.ended);
    } else {
      const { dial, dialWish } = this.#dialsOf(tunnel, client);
      const byUrl = wayOfUrl(adapter, dial);
      const byHeader = wayOfHeader(adapter, dialWish, (error) => {
        byUrl.fail(error);
      });
      const way = protocol === STREAM_WITH_HEADER ? byHeader : byUrl;
      this.#follow(tunnel, forwardToTarget(adapter, way));
    }
  }

  #acceptStream(mux: Tunnel, client: Client, stream: YamuxStream, hasHeader: boolean): void {
    const name = `${mux.name}, stream ${String(stream.id)}`;
    const reset = (): void => {
      stream.resetAndDestroy();
    };
    const place = this.#places.takeFor(stream, () => {
      this.#acceptStream(mux, client, stream, hasHeader);
    });
    if (place === 'asked for') return;
    if (place === 'none') {
      const why = `${String(this.#places.limit)} connections are open already`;
      mux.log.warn(`${name} refused: ${why}`);
      this.emit('streamRefused');
      if (hasHeader) refuseStream(stream, new TargetError('EAGAIN', why, why), reset);
      else reset();
      return;
    }
    const log = mux.log.with({ kind: 'stream', stream: stream.id });
    const tunnel: Tunnel = { kind: 'stream', name, target: mux.target, stream, log };
    const { dial, dialWish } = this.#dialsOf(tunnel, client);
    const way = hasHeader ? wayOfHeader(stream, dialWish, reset) : wayOfStream(stream, dial);
    this.#follow(tunnel, forwardToTarget(stream, way));
  }

  #dialsOf(tunnel: Tunnel, client: Client): ReturnType<TargetDialer> {
    return this.#options.dialer(client, (target, address) => {
      tunnel.target = target;
      tunnel.log = tunnel.log.with({ target, ...(address !== undefined && { address }) });
      if (address === undefined) return;
      tunnel.log.info(`${tunnel.name} wants ${quoted(address)}`, { event: 'chosen' });
    });
  }

  #tunnelOf(adapter: WsConnSocket, client: Client): Tunnel {
    const kind = KINDS.get(protocolOf(adapter)) ?? 'connection';
    const count = String(++this.#count);
    const { worker } = this.#options;
    const number = worker ? `${String(worker.number)}.${count}` : count;
    const target = client.target?.name;
    const { request } = client;
    const log = this.#options.log.with({
      id: `${this.#run}-${count}`,
      kind,
      from: showAddress(clientOf(request)),
      path: pathOf(request),
      ...(target !== undefined && { target }),
      ...(client.who !== undefined && { who: client.who }),
    });
    return { kind, name: `${kind} ${number}`, target, stream: adapter, log };
  }

  #follow(tunnel: Tunnel, served: Promise<Ending>): void {
    const since = performance.now();
    this.emit('opened', tunnel);
    void served.then((ending) => {
      logEnding(tunnel, ending, { since, cutHere: this.#open.cutting });
      this.emit('closed', tunnel, ending.error !== undefined);
    });
  }
}

/** Returns the subprotocol of a connection that was opened just now; '' for none. */
function protocolOf({ ws }: WsConnSocket): string {
  return ws?.protocol ?? '';
}
