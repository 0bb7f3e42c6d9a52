import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';

import type { Registry } from 'prom-client';

import { METHOD_NOT_ALLOWED, NOT_FOUND, OK, UNAVAILABLE } from '../console/codes.ts';
import type { Log } from '../log/log.ts';
import { isInherited, isLocal, type ListenPlace, type Place, showPlace } from '../console/place.ts';
import type { Observer } from '../tunnel/run-server.ts';

/** Time in ms in which a client must have sent its request. */
const REQUEST_TIMEOUT = 10_000;
/** How often, in ms, it looks for requests that take too long. */
const CHECK_INTERVAL = 2_500;
/** Clients at once: a few that scrape and check; others are ended. */
const MAX_CONNECTIONS = 64;

/** What else must be for a service to be ready: each with what is wrong, or undefined. */
export type ReadyCheck = () => Promise<ReadonlyMap<string, string | undefined>>;

export interface AdminOptions {
  readonly place: ListenPlace;
  readonly registry: Pick<Registry, 'contentType' | 'metrics'>;
  /** Checks what is behind the service, when `/readyz?targets` asks for it. */
  readonly checkTargets?: ReadyCheck | undefined;
  readonly log: Log;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Shows health and figures over HTTP: `/healthz` while the process lives, `/readyz` while it takes
 * new connections, `/metrics` for Prometheus.
 */
export class AdminServer implements Observer {
  readonly server: http.Server;
  readonly place: ListenPlace;
  readonly #options: AdminOptions;
  #state: 'starting' | 'ready' | 'stopping' = 'starting';

  constructor(options: AdminOptions) {
    this.#options = options;
    this.place = options.place;
    this.server = http.createServer({
      headersTimeout: REQUEST_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECK_INTERVAL,
    });
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.on('request', (request, response) => {
      void this.#answer(request, response);
    });
    if (!isInherited(this.place)) this.#warnIfOpen(this.place);
  }

  readonly checkInherited = (real: Place): void => {
    this.#warnIfOpen(real);
  };

  ready(): void {
    this.#state = 'ready';
  }

  stopping(): void {
    this.#state = 'stopping';
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  #warnIfOpen(place: Place): void {
    if (isLocal(place)) return;
    this.#options.log.warn(
      `everybody who reaches ${showPlace(place)} sees the figures of --admin: give it a loopback address or unix:/PATH where that is not meant`,
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    let answer: Answer;
    try {
      answer = await this.#answerTo(isRead, url);
    } catch (error) {
      this.#options.log.warn('the figures could not be collected: see --verbose for the error');
      this.#options.log.stack(error);
      answer = text(UNAVAILABLE, 'the figures could not be collected');
    }
    const { status, type, body } = answer;
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      ...(status === METHOD_NOT_ALLOWED && { Allow: 'GET, HEAD' }),
      // What is left of a request that is not read would be the beginning of the next one.
      ...(!isRead && { Connection: 'close' }),
    });
    response.end(method === 'HEAD' ? undefined : body);
  }

  async #answerTo(isRead: boolean, url: string): Promise<Answer> {
    const [path = '/', query] = url.split('?', 2);
    const pages: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
      '/healthz': () => text(OK, 'ok'),
      '/readyz': () => this.#readiness(query === 'targets'),
      '/metrics': () => this.#figures(),
    };
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!page) return text(NOT_FOUND, `there are ${Object.keys(pages).join(', ')}`);
    return isRead ? page() : text(METHOD_NOT_ALLOWED, 'this can only be read, with GET');
  }

  async #readiness(withTargets: boolean): Promise<Answer> {
    const { checkTargets } = this.#options;
    if (this.#state !== 'ready') return text(UNAVAILABLE, this.#state);
    if (!withTargets || !checkTargets) return text(OK, 'ready');
    const problems = await checkTargets();
    const lines = [...problems].map(([name, problem]) => `${name}: ${problem ?? 'ok'}`);
    const isReady = [...problems.values()].every((problem) => problem === undefined);
    return text(isReady ? OK : UNAVAILABLE, lines.join('\n'));
  }

  async #figures(): Promise<Answer> {
    const { registry } = this.#options;
    return { status: OK, type: registry.contentType, body: await registry.metrics() };
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}
