import type { ClientOptions } from 'ws';
import { connect, type ConnectOptions, type WsConnAdapter, WsConnError } from 'ws-conn-adapter';

import { codeOf, explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import { isLoopback } from '../console/host-port.ts';
import type { Log } from '../console/output.ts';
import { checkUrl, isEncrypted } from './check-url.ts';
import type { DialValues } from './dial-options.ts';
import { isSecret, readHeaders } from './headers.ts';
import type { ProxyRoute } from './proxy.ts';
import { checkProxyOption, findRoute } from './proxy-options.ts';
import type { SecretFiles } from './secret-files.ts';
import { checkTlsOptions, readTlsFiles } from './tls-files.ts';
import { bearer, readTokenFile, tokenOfEnvironment } from './token.ts';

export { DIAL_OPTIONS, type DialName, KEEPALIVE_OPTION } from './dial-options.ts';

/**
 * Dials the URL of the command line with its options. It reads files again each time, so that a
 * renewed one is used at once.
 */
export class Dialer {
  readonly url: URL;
  readonly #values: DialValues;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #log: Log;
  /** The token of the environment, where no file is named. */
  readonly #token: string | undefined;
  /** Time in ms between pings; 0 for none. */
  readonly #keepalive: number;
  #route: ProxyRoute | undefined;
  #files: Promise<SecretFiles> | undefined;

  /**
   * @param log - where it warns of secrets that others may see
   * @throws Failure for an option that cannot be understood
   */
  constructor(values: DialValues, log: Log) {
    this.#log = log;
    this.#token = tokenOfEnvironment();
    this.#values = values;
    this.#keepalive = values.milliseconds('keepalive') ?? 0;
    this.url = checkUrl(values);
    this.#headers = readHeaders(values);
    checkTlsOptions(values);
    checkProxyOption(values);
    this.#warnOfPlainText();
  }

  /** Starts to connect; what is written before it is connected is sent then. */
  async dial(options: ConnectOptions = {}): Promise<WsConnAdapter> {
    const keepalive = this.#keepalive > 0 ? { interval: this.#keepalive } : false;
    try {
      return connect(this.url, { keepalive, ...(await this.request()), ...options });
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

  /** Returns the options of the handshake, for `connect()` and for ws alike. */
  async request(): Promise<Pick<ClientOptions, 'agent' | 'ca' | 'cert' | 'headers' | 'key'>> {
    const [token, material, route] = await Promise.all([
      this.#readToken(),
      readTlsFiles(this.#values, () => this.#secretFiles()),
      findRoute(this.url, this.#values),
    ]);
    this.#route = route;
    return {
      headers: {
        ...this.#headers,
        ...(token === undefined ? {} : { Authorization: bearer(token) }),
      },
      ...material,
      ...(route === undefined ? {} : { agent: route.agent }),
    };
  }

  /** Explains to the user why a connection failed. */
  failure(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const ofProxy = this.#route?.failure(error);
    if (ofProxy) return ofProxy;
    return new Failure(`${this.url.host}: ${explain(error)}${this.#tlsHint(error)}`, {
      cause: error,
    });
  }

  /** Many TLS servers cut a plain handshake without a word. Later errors are WsConnErrors. */
  #tlsHint(error: unknown): string {
    const cut = !(error instanceof WsConnError) && codeOf(error) === 'ECONNRESET';
    if (!cut || isEncrypted(this.url)) return '';
    return '; if that port speaks TLS, use wss:// instead of ws://';
  }

  /** Warns once of a secret that everybody on the way can read. */
  #warnOfPlainText(): void {
    if (isEncrypted(this.url) || isLoopback(this.url.hostname)) return;
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
    this.#log.info(`warning: ${secret} goes to ${this.url.host} without encryption: use wss://`);
  }

  async #readToken(): Promise<string | undefined> {
    const path = this.#values.text('token-file');
    if (path === undefined) return this.#token;
    return readTokenFile(path, this.#values.nameOf('token-file'), await this.#secretFiles());
  }

  #secretFiles(): Promise<SecretFiles> {
    this.#files ??= import('./secret-files.ts').then(
      ({ SecretFiles }) => new SecretFiles(this.#log),
    );
    return this.#files;
  }
}
