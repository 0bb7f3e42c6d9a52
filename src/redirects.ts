import type { ClientRequest } from 'node:http';
import net from 'node:net';
import tls from 'node:tls';

import type { WebSocket } from 'ws';

import { invalidArgType, WsConnError } from './base/errors.ts';
import { HANDSHAKE_HEADERS } from './websocket/handshake-headers.ts';

/** Options of a TLS connection by which somebody shows who he is, or that hold for one host. */
const SECRETS_OF_TLS = [
  'cert',
  'clientCertEngine',
  'key',
  'passphrase',
  'pfx',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'pskCallback',
  'secureContext',
  'servername',
  'session',
] as const;

/** Calls `request.end()` when it has made the request ready: as ws has it. */
type FinishRequest = (request: ClientRequest, ws: WebSocket) => void;

/** What a connection is made with, in the names of `tls.connect()`. */
type ConnectionArguments = tls.ConnectionOptions & { readonly socketPath?: string | undefined };

type CreateConnection = (options: ConnectionArguments, ...others: unknown[]) => net.Socket;

/** The options of a handshake that bear on where its redirects lead. */
export interface RedirectableOptions {
  readonly agent?: unknown;
  readonly createConnection?: unknown;
  readonly finishRequest?: FinishRequest | undefined;
  readonly redirectHeaders?: readonly string[] | undefined;
}

/**
 * Checks the option `redirectHeaders`: names of headers, in any case.
 * @throws `ERR_INVALID_ARG_TYPE`
 */
export function redirectHeadersOption(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.some((name) => typeof name !== 'string')) {
    throw invalidArgType('options.redirectHeaders', 'an array of strings', value);
  }
  return (value as string[]).map((name) => name.toLowerCase());
}

/**
 * Follows the redirects of one handshake and keeps the user's secrets from every host but the one
 * that he named: headers, user and password, client certificate, TLS session. ws itself drops
 * `Authorization` and `Cookie`, and sends all the rest along.
 *
 * Once a redirect has led away, to another host or port or from TLS to none, they stay away, also
 * where a later one leads back: the path there was chosen by a stranger.
 */
export class RedirectGuard {
  readonly #first: URL;
  readonly #options: RedirectableOptions;
  readonly #passed: ReadonlySet<string>;
  /** Known once the first request was made. */
  #ws: WebSocket | null = null;
  #ledAway = false;

  /** @param first - what the user has asked for */
  constructor(first: URL, options: RedirectableOptions) {
    this.#first = first;
    this.#options = options;
    this.#passed = new Set([
      ...HANDSHAKE_HEADERS,
      ...redirectHeadersOption(options.redirectHeaders),
    ]);
  }

  /** The options by which ws has each request go through here. */
  get options(): { createConnection?: CreateConnection; finishRequest: FinishRequest } {
    const { finishRequest } = this;
    // An agent makes its connections itself.
    if (this.#options.agent !== undefined && this.#options.agent !== null) return { finishRequest };
    return { finishRequest, createConnection: this.createConnection };
  }

  /** Makes the connection of a request, as ws does, without what the host must not see. */
  readonly createConnection: CreateConnection = (given, ...others) => {
    this.#look();
    const url = this.#url;
    // finishRequest() is about to refuse it.
    if (this.#ledAway && isLocal(url)) return new net.Socket();
    const options = this.#ledAway ? withoutSecrets(given) : given;
    const own = this.#options.createConnection;
    if (own !== undefined) return (own as CreateConnection)(options, ...others);
    if (!isSecure(url)) {
      return net.connect({ ...options, path: options.socketPath } as net.NetConnectOpts);
    }
    const { host = '', servername = net.isIP(host) === 0 ? host : '' } = options;
    return tls.connect({ ...options, path: undefined, servername });
  };

  /** Takes out of a request what its host must not see, and sends it. */
  readonly finishRequest: FinishRequest = (request, ws) => {
    this.#ws = ws;
    this.#look();
    if (this.#ledAway) {
      const refusal = this.#refusal();
      if (refusal) {
        request.destroy(refusal);
        return;
      }
      for (const name of request.getHeaderNames()) {
        if (!this.#passed.has(name)) request.removeHeader(name);
      }
      // The user may have given one for the first host.
      request.setHeader('Host', this.#url.host);
    }
    if (this.#options.finishRequest) this.#options.finishRequest(request, ws);
    else request.end();
  };

  /** What the current request asks for. */
  get #url(): URL {
    return this.#ws ? new URL(this.#ws.url) : this.#first;
  }

  #look(): void {
    this.#ledAway ||= !isSameEnd(this.#first, this.#url);
  }

  /** Why a redirect is not followed; null if it is. */
  #refusal(): WsConnError | null {
    if (isLocal(this.#url)) {
      const happened = 'the server redirects to a socket file of this machine';
      return new WsConnError('ECONNREFUSED', happened);
    }
    const { agent } = this.#options;
    if (agent === undefined || agent === null) return null;
    // Nothing has left yet: the agent has only begun to connect.
    if (!holdsKey(this.#options) && !holdsKey(optionsOf(agent))) return null;
    const why = 'and the agent would show it the client certificate';
    return new WsConnError(
      'ECONNREFUSED',
      `the server redirects to another host, ${this.#url.host}, ${why}: connect to that host itself, if you trust it`,
    );
  }
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'wss:' || protocol === 'https:';
}

/** Whether a URL leads to a unix socket. */
function isLocal({ protocol }: URL): boolean {
  return protocol === 'ws+unix:';
}

/** Whether a redirect stays with whom the user has named, and as secret as he has asked for. */
function isSameEnd(first: URL, now: URL): boolean {
  if (isLocal(first) || isLocal(now)) {
    const file = ({ pathname }: URL): string => pathname.split(':', 1)[0] ?? '';
    return isLocal(first) && isLocal(now) && file(first) === file(now);
  }
  return first.host === now.host && (isSecure(now) || !isSecure(first));
}

/** Options of an agent; those that hold for each of its connections, in Node's. */
function optionsOf(agent: unknown): object {
  const { options } = agent as { readonly options?: unknown };
  return typeof options === 'object' && options !== null ? options : {};
}

function holdsKey(options: object): boolean {
  const given = options as Readonly<Record<string, unknown>>;
  return SECRETS_OF_TLS.some((name) => name !== 'servername' && given[name] !== undefined);
}

function withoutSecrets(given: ConnectionArguments): ConnectionArguments {
  const secrets: readonly string[] = [...SECRETS_OF_TLS, 'auth', 'headers'];
  return Object.fromEntries(Object.entries(given).filter(([name]) => !secrets.includes(name)));
}
