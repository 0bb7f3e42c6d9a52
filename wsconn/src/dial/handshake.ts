import type { Agent } from 'node:http';

import type { ClientOptions } from 'ws';
import { WsConnError } from 'ws-conn-adapter';

import { codeOf } from '../console/explain.ts';
import { usageFailure } from '../console/failure.ts';
import { isLoopback } from '../console/place.ts';
import type { Log } from '../log/log.ts';
import { type ShownCertificate, tlsAlertOf } from '../console/tls-errors.ts';
import { isEncrypted, showUrlOption, UNIX_SCHEME } from './options/check-url.ts';
import type { DialValues } from './options/dial-options.ts';
import { isSecret, readHeaders } from './options/headers.ts';
import { readProtocols } from './options/protocols.ts';
import { UnixSocket } from './options/unix-socket.ts';
import { checkProxyOption, findProxy } from './proxy-options.ts';
import { SecretFiles } from './secret-files.ts';
import { TlsOptions } from './tls-options.ts';
import { bearer, readTokenFile, readTokenFileNow, tokenOfEnvironment } from './token.ts';

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
  | 'key'
> & { readonly servername?: string; readonly headers?: Readonly<Record<string, string>> };

/** All that the options say of the handshake. It reads files again each time. */
export class Handshake {
  /** The subprotocols of the user. */
  readonly protocols: readonly string[];
  readonly #values: DialValues;
  readonly #url: URL;
  readonly #log: Log;
  readonly #socket: UnixSocket | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  /** The token of the environment, where no file is named. */
  readonly #token: string | undefined;
  readonly #tls: TlsOptions;
  readonly #files: SecretFiles;

  /**
   * @param log - where it warns of secrets that others may see
   * @throws Failure for an option that cannot be understood
   */
  constructor(values: DialValues, url: URL, log: Log) {
    this.#values = values;
    this.#url = url;
    this.#log = log;
    this.#token = tokenOfEnvironment();
    const unix = url.protocol === UNIX_SCHEME;
    this.#socket = unix ? new UnixSocket(url, showUrlOption(values)) : undefined;
    this.protocols = readProtocols(values);
    this.#headers = readHeaders(values);
    this.#files = new SecretFiles(log);
    this.#tls = new TlsOptions(values, url, this.#files);
    checkProxyOption(values, url);
    if (unix && values.flag('follow-redirects')) {
      throw usageFailure(
        `${values.nameOf('follow-redirects')} is for servers with a host: leave it out for a unix socket`,
      );
    }
    this.#warnOfPlainText();
  }

  /** How lines name the server: by host and port, or by the path of its socket. */
  get place(): string {
    return this.#socket?.path ?? this.#url.host;
  }

  /** The client certificate that was read last; undefined for none. */
  get certificate(): ShownCertificate | undefined {
    return this.#tls.certificate;
  }

  /**
   * Checks what takes loading, so that it is told at once.
   * @throws Failure for a proxy that cannot be used
   */
  async check(): Promise<void> {
    await this.#findProxy();
  }

  /**
   * Returns the options of the handshake.
   * @throws Failure for a file that cannot be used
   */
  async request(): Promise<HandshakeOptions> {
    const [token, tls, agent] = await Promise.all([
      this.#readToken(),
      this.#tls.read(),
      this.#findProxy(),
    ]);
    const headers = this.#headersWith(token);
    return {
      headers,
      ...tls,
      ...(agent === undefined ? {} : { agent }),
      ...(this.#socket === undefined ? {} : { createConnection: this.#socket.connect }),
      ...(await this.#redirects(headers)),
    };
  }

  /**
   * Returns the headers of a later handshake of the same connection, which cannot wait for a file:
   * it has the token that its file holds now.
   * @throws Failure for a file that cannot be used
   */
  headersAgain(): Readonly<Record<string, string>> {
    const path = this.#values.text('token-file');
    const token =
      path === undefined ? this.#token : readTokenFileNow(path, this.#values.nameOf('token-file'));
    return this.#headersWith(token);
  }

  #headersWith(token: string | undefined): Readonly<Record<string, string>> {
    return {
      ...this.#headers,
      ...(token === undefined ? {} : { Authorization: bearer(token) }),
    };
  }

  /** Returns what an error means with these options; undefined where the usual line fits. */
  meaningOf(error: unknown): string | undefined {
    const fault = tlsAlertOf(error)?.ofCertificate === true ? this.certificate?.fault : undefined;
    return fault === undefined
      ? this.#socket?.meaningOf(error)
      : `the server refuses the certificate of --cert, which ${fault} (${String(codeOf(error))})`;
  }

  /** Returns what to add to the line of an error; '' for nothing. */
  hint(error: unknown): string {
    // What was wrong with the answer ws says in words only.
    const wrong = error instanceof WsConnError && error.code === 'EPROTO';
    return wrong && this.protocols.length > 0
      ? `; if it takes no subprotocol, leave ${this.#values.nameOf('protocol')} out`
      : '';
  }

  /** Warns once of a secret that everybody on the way can read. */
  #warnOfPlainText(): void {
    if (isEncrypted(this.#url) || this.#socket || isLoopback(this.#url.hostname)) return;
    const header = Object.keys(this.#headers).find(isSecret);
    const secret =
      (this.#token ?? this.#values.text('token-file')) !== undefined
        ? 'the token'
        : header !== undefined
          ? `the header ${header}`
          : this.#url.password !== ''
            ? 'the password of the URL'
            : undefined;
    if (secret === undefined) return;
    this.#log.warn(`${secret} goes to ${this.place} without encryption: use wss://`);
  }

  async #readToken(): Promise<string | undefined> {
    const path = this.#values.text('token-file');
    if (path === undefined) return this.#token;
    return readTokenFile(path, this.#values.nameOf('token-file'), this.#files);
  }

  #findProxy(): Promise<Agent | undefined> {
    return findProxy(this.#url, this.#values);
  }

  async #redirects(
    headers: object,
  ): Promise<Pick<ClientOptions, 'finishRequest' | 'followRedirects'>> {
    if (!this.#values.flag('follow-redirects')) return {};
    const { guardRedirects } = await import('./redirects.ts');
    const finishRequest = guardRedirects(this.#url, Object.keys(headers));
    return { followRedirects: true, finishRequest };
  }
}
