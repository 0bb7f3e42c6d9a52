import { randomBytes } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';

import { WebSocket } from 'ws';
import { readRefusal, WsConnError } from 'ws-conn-adapter';

import { BAD_REQUEST } from '../console/codes.ts';
import { codeOf } from '../console/explain.ts';
import { showHostPort } from '../console/place.ts';
import type { Dialer } from './dialer.ts';

/**
 * Subprotocol by which `wsconn serve` knows a probe, for ping and doctor: it dials no target, sends
 * no ping of its own, and echoes what it gets.
 */
export const PROBE_PROTOCOL = 'wsconn.probe';

/** How a probe ended. */
export interface ProbeEnd {
  /** When, by `performance.now()`. */
  readonly at: number;
  /** Close code and reason; 1006 where there was no Close frame. */
  readonly code: number;
  readonly reason: string;
}

const HANDSHAKE_TIMEOUT = 10_000;

/**
 * A WebSocket that carries nothing, to find out about the path. It is not an adapter: a server
 * other than `wsconn serve` may send what it likes, and none of it matters here.
 */
export class Probe {
  readonly ws: WebSocket;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<ProbeEnd>;
  /** When something last moved, by `performance.now()`. */
  movedAt = performance.now();
  /** How often the server sent something of its own: messages and pings. */
  heard = 0;
  /** Address and port of what answered: the server, or what is in front of it; or its socket. */
  readonly from: string;
  readonly #pings = new Map<string, (rtt: number) => void>();

  constructor(ws: WebSocket, from: string) {
    this.ws = ws;
    this.from = from;
    this.ended = new Promise((resolve) => {
      ws.once('close', (code, reason) => {
        resolve({ at: performance.now(), code, reason: reason.toString() });
      });
    });
    // 'close' follows.
    ws.on('error', () => undefined);
    ws.on('pong', (payload) => {
      this.movedAt = performance.now();
      this.#pings.get(payload.toString('hex'))?.(this.movedAt);
    });
    const onHeard = (): void => {
      this.movedAt = performance.now();
      this.heard++;
    };
    ws.on('message', onHeard);
    ws.on('ping', onHeard);
  }

  /** Whether the other end is `wsconn serve`, which sends nothing by itself. */
  get quiet(): boolean {
    return this.ws.protocol === PROBE_PROTOCOL;
  }

  get open(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  /** Pings; resolves with the round trip in ms, or null without an answer within `limit` ms. */
  ping(limit: number): Promise<number | null> {
    const payload = randomBytes(8);
    const key = payload.toString('hex');
    return new Promise((resolve) => {
      const settle = (rtt: number | null): void => {
        clearTimeout(timer);
        this.#pings.delete(key);
        resolve(rtt);
      };
      const timer = setTimeout(settle, limit, null);
      let sentAt = performance.now();
      this.#pings.set(key, (at) => {
        settle(at - sentAt);
      });
      void this.ended.then(() => {
        settle(null);
      });
      sentAt = performance.now();
      this.ws.ping(payload, undefined, () => {
        this.movedAt = performance.now();
      });
    });
  }

  /** Closes it, without waiting long for a peer that does not answer. */
  async close(): Promise<void> {
    this.ws.close();
    const limit = setTimeout(() => {
      this.ws.terminate();
    }, 1000);
    await this.ended;
    clearTimeout(limit);
  }
}

/**
 * Opens a probe. It asks `wsconn serve` to send nothing and to dial no target. A server that does
 * not know this subprotocol gets a plain WebSocket.
 * @throws Failure
 */
export async function openProbe(dialer: Dialer, quiet = true): Promise<Probe> {
  try {
    return await connectProbe(dialer, quiet ? [PROBE_PROTOCOL] : []);
  } catch (error) {
    // A server that picks no subprotocol fails the handshake; others answer 400 to one that they do
    // not know.
    const unknown =
      error instanceof WsConnError && (error.code === 'EPROTO' || error.statusCode === BAD_REQUEST);
    if (!quiet || !unknown) throw dialer.failure(error);
    return openProbe(dialer, false);
  }
}

async function connectProbe(dialer: Dialer, own: readonly string[]): Promise<Probe> {
  const ws = new WebSocket(dialer.url, [...own, ...dialer.protocols], {
    ...(await dialer.request()),
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    perMessageDeflate: false,
  });
  const from = await new Promise<string>((resolve, reject) => {
    ws.once('upgrade', ({ socket: { remoteAddress: host, remotePort: port = 0 } }) => {
      ws.once('open', () => {
        resolve(host === undefined ? dialer.place : showHostPort({ host, port }));
      });
    });
    ws.on('error', (error) => {
      reject(
        codeOf(error) === undefined
          ? new WsConnError('EPROTO', error.message, { cause: error })
          : error,
      );
    });
    ws.once('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      void readRefusal(request, response).then((error) => {
        reject(error);
        ws.terminate();
      });
    });
  });
  return new Probe(ws, from);
}
