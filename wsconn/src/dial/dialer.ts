import type { Agent } from 'node:http';

import type { ClientOptions } from 'ws';
import { connect, type ConnectOptions, type WsConnAdapter, WsConnError } from 'ws-conn-adapter';

import { Failure, usageFailure } from '../console/failure.ts';
import { isLoopback } from '../console/host-port.ts';
import type { Log } from '../console/output.ts';
import { checkUrl, isEncrypted, placeOf } from './options/check-url.ts';
import type { DialValues } from './options/dial-options.ts';
import { isSecret, readHeaders } from './options/headers.ts';
import { readProtocols } from './options/protocols.ts';
import { checkProxyOption, findProxy } from './proxy-options.ts';
import type { SecretFiles } from './secret-files.ts';
import { TlsOptions } from './tls-options.ts';
import { bearer, readTokenFile, tokenOfEnvironment } from './token.ts';
import { socketPathOf, unixConnector, unixMeaning } from './options/unix-socket.ts';

export {
  DIAL_OPTIONS,
  type DialName,
  KEEPALIVE_OPTION,
  STREAM_OPTIONS,
} from './options/dial-options.ts';

/** The largest `maxPayload` of the library. */
const LARGEST_MAX_PAYLOAD = 2 ** 31 - 1;

/** The options of a handshake, for `connect()` and for ws alike. */
export type HandshakeOptions = Pick<
  ClientOptions,
  | 'agent'
  | 'ca'
  | 'cert'
  | 'checkServerIdentity'
  | 'createConnection'
  | 'finishRequest'
  | 'followRedirects'
  | 'headers'
  | 'key'
> & { readonly servername?: string };

/**
 * Dials the URL of the command line with its options. It reads files again each time, so that a
 * renewed one is used at once.
 */
export class Dialer {
  readonly url: URL;
  /** How lines name the server: by host and port, or by the path of its socket. */
  readonly place: string;
  /** The subprotocols of the user. */
  readonly protocols: readonly string[];
  readonly #values: DialValues;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #tls: TlsOptions;
  readonly #log: Log;
  /** The token of the environment, where no file is named. */
  readonly #token: string | undefined;
  readonly #stream: ConnectOptions;
  #files: Promise<SecretFiles> | undefined;

  /**
   * @param log - where it warns of secrets that others may see
   * @throws Failure for an option that cannot be understood
   */
  constructor(values: DialValues, log: Log) {
    this.#log = log;
    this.#token = tokenOfEnvironment();
    this.#values = values;
    this.#stream = readStreamOptions(values);
    this.url = checkUrl(values);
    this.place = placeOf(this.url);
    this.protocols = readProtocols(values);
    this.#headers = readHeaders(values);
    this.#tls = new TlsOptions(values, this.url, () => this.#secretFiles());
    checkProxyOption(values, this.url);
    if (values.flag('follow-redirects') && socketPathOf(this.url) !== undefined) {
      throw usageFailure(
        `${values.nameOf('follow-redirects')} is for servers with a host: leave it out for a unix socket`,
      );
    }
    this.#warnOfPlainText();
  }

  /**
   * Checks what takes loading, so that it is told at once.
   * @throws Failure for a proxy that cannot be used
   */
  async check(): Promise<void> {
    await this.#findProxy();
  }

  /** Starts to connect; what is written before it is connected is sent then. */
  async dial(options: ConnectOptions = {}): Promise<WsConnAdapter> {
    const { protocols } = this;
    try {
      const request = await this.request();
      return connect(this.url, { protocols, ...this.#stream, ...request, ...options });
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Connects; resolves when the handshake is done, or rejects with what prevented it. */
  async open(options: ConnectOptions = {}): Promise<WsConnAdapter> {
    const adapter = await this.dial(options);
    // 'close' reports its error, now and later on.
    adapter.on('error', () => undefined);
    const failed = await new Promise<boolean>((resolve) => {
      adapter.once('connect', () => {
        resolve(false);
      });
      adapter.once('close', () => {
        resolve(true);
      });
    });
    if (failed) throw adapter.errored ?? new Failure('the connection was given up');
    return adapter;
  }

  /** Returns the options of the handshake. */
  async request(): Promise<HandshakeOptions> {
    const [token, tls, agent] = await Promise.all([
      this.#readToken(),
      this.#tls.read(),
      this.#findProxy(),
    ]);
    const headers = {
      ...this.#headers,
      ...(token === undefined ? {} : { Authorization: bearer(token) }),
    };
    const socket = socketPathOf(this.url);
    return {
      headers,
      ...tls,
      ...(agent === undefined ? {} : { agent }),
      ...(socket === undefined ? {} : { createConnection: unixConnector(socket) }),
      ...(await this.#redirects(headers)),
    };
  }

  /** Explains to the user why a connection failed. */
  failure(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const ofSocket = socketPathOf(this.url) === undefined ? undefined : unixMeaning(error);
    const why = ofSocket ?? this.#tls.explain(error) + this.#optionHint(error);
    return new Failure(`${this.place}: ${why}`, { cause: error });
  }

  /** Names the option that an error of the library is about. */
  #optionHint(error: unknown): string {
    if (!(error instanceof WsConnError)) return '';
    if (error.code === 'EMSGSIZE') {
      return '; if the server may send messages of that size, give a larger --max-payload';
    }
    // What was wrong with the answer ws says in words only.
    return error.code === 'EPROTO' && this.protocols.length > 0
      ? `; if it takes no subprotocol, leave ${this.#values.nameOf('protocol')} out`
      : '';
  }

  /** Warns once of a secret that everybody on the way can read. */
  #warnOfPlainText(): void {
    const local = socketPathOf(this.url) !== undefined || isLoopback(this.url.hostname);
    if (local || isEncrypted(this.url)) return;
    const header = Object.keys(this.#headers).find(isSecret);
    const secret =
      (this.#token ?? this.#values.text('token-file')) !== undefined
        ? 'the token'
        : header !== undefined
          ? `the header ${header}`
          : this.url.password !== ''
            ? 'the password of the URL'
            : undefined;
    if (secret === undefined) return;
    this.#log.info(`warning: ${secret} goes to ${this.place} without encryption: use wss://`);
  }

  async #readToken(): Promise<string | undefined> {
    const path = this.#values.text('token-file');
    if (path === undefined) return this.#token;
    return readTokenFile(path, this.#values.nameOf('token-file'), await this.#secretFiles());
  }

  // What few need is loaded when it is used: somebody waits for `wsconn connect`.

  #findProxy(): Promise<Agent | undefined> {
    return findProxy(this.url, this.#values);
  }

  async #redirects(
    headers: object,
  ): Promise<Pick<ClientOptions, 'finishRequest' | 'followRedirects'>> {
    if (!this.#values.flag('follow-redirects')) return {};
    const { guardRedirects } = await import('./redirects.ts');
    const finishRequest = guardRedirects(this.url, Object.keys(headers));
    return { followRedirects: true, finishRequest };
  }

  #secretFiles(): Promise<SecretFiles> {
    this.#files ??= import('./secret-files.ts').then(
      ({ SecretFiles }) => new SecretFiles(this.#log),
    );
    return this.#files;
  }
}

/** Reads the options of those that carry a stream. */
function readStreamOptions(values: DialValues): ConnectOptions {
  const interval = values.milliseconds('keepalive') ?? 0;
  const maxPayload = values.count('max-payload');
  if (maxPayload !== undefined && maxPayload > LARGEST_MAX_PAYLOAD) {
    throw usageFailure(
      `${values.nameOf('max-payload')} must be at most ${String(LARGEST_MAX_PAYLOAD)}, but is ${String(maxPayload)}`,
    );
  }
  return {
    keepalive: interval > 0 ? { interval } : false,
    tcpEndIsEof: values.flag('tcp-end-is-eof'),
    ...(maxPayload === undefined ? {} : { maxPayload }),
  };
}
