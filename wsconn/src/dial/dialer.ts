import type { ClientOptions } from 'ws';
import { connect, type ConnectOptions, type WsConnAdapter, WsConnError } from 'ws-conn-adapter';

import { codeOf, explain } from '../console/explain.ts';
import { Failure, usageFailure } from '../console/failure.ts';
import { isLoopback } from '../console/place.ts';
import { type OptionSpecs, type Source, variableOf, type Values } from '../options/options.ts';
import type { Log } from '../console/log.ts';
import { rememberSecrets, rememberSecretsOf, showGiven } from '../console/secrets.ts';
import type { NamedProxy, ProxyRoute } from './proxy.ts';
import type { SecretFiles } from './secret-files.ts';
import { bearer, readTokenFile, tokenOfEnvironment } from './token.ts';

/** Options of every subcommand that dials a WebSocket. */
export const DIAL_OPTIONS = {
  header: {
    value: "'NAME: VALUE'",
    multiple: true,
    between: ': ',
    secret: true,
    help: 'header to send; may be given more than once',
  },
  'token-file': { value: 'FILE', help: 'file with the token for the server' },
  ca: { value: 'FILE', help: 'CA to trust instead of those known to Node (PEM)' },
  cert: { value: 'FILE', help: 'certificate to show to the server (PEM)' },
  key: { value: 'FILE', help: 'private key of --cert (PEM)' },
  proxy: { value: 'URL', secret: true, help: 'HTTP proxy (default from HTTPS_PROXY, NO_PROXY)' },
} as const satisfies OptionSpecs;

/** Option of the subcommands that keep a connection open. */
export const KEEPALIVE_OPTION = {
  keepalive: {
    value: 'SECONDS',
    default: '15',
    help: 'idle time before a ping; 0 for none',
  },
} as const satisfies OptionSpecs;

/** What a dialer reads; the keepalive only where the subcommand has that option. */
export type DialName = keyof typeof DIAL_OPTIONS | keyof typeof KEEPALIVE_OPTION | 'url';
type DialValues = Values<DialName>;

/** Variables that can name a proxy. */
const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

/** Headers that carry secrets. */
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

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
    const [cert, key] = [values.text('cert'), values.text('key')];
    if ((cert === undefined) !== (key === undefined)) {
      throw usageFailure('--cert and --key belong together: give both or none');
    }
    checkSecret(values.text('proxy'), values.source('proxy'), '--proxy');
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
    const [token, ca, cert, key, route] = await Promise.all([
      this.#readToken(),
      this.#readAuthorities(),
      this.#readCertificate(),
      this.#readKey(),
      this.#findRoute(),
    ]);
    this.#route = route;
    return {
      headers: {
        ...this.#headers,
        ...(token === undefined ? {} : { Authorization: bearer(token) }),
      },
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
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
    this.#log.warn(`${secret} goes to ${this.url.host} without encryption: use wss://`);
  }

  async #readToken(): Promise<string | undefined> {
    const path = this.#values.text('token-file');
    if (path === undefined) return this.#token;
    return readTokenFile(path, this.#values.nameOf('token-file'), await this.#secretFiles());
  }

  async #readAuthorities(): Promise<string | undefined> {
    const path = this.#values.text('ca');
    if (path === undefined) return undefined;
    const { readCertificates } = await import('./read-file.ts');
    return readCertificates(path, this.#values.nameOf('ca'));
  }

  async #readCertificate(): Promise<string | undefined> {
    const path = this.#values.text('cert');
    if (path === undefined) return undefined;
    const { readNamedFile } = await import('./read-file.ts');
    return readNamedFile(path, this.#values.nameOf('cert'));
  }

  async #readKey(): Promise<string | undefined> {
    const path = this.#values.text('key');
    if (path === undefined) return undefined;
    return (await this.#secretFiles()).read(path, this.#values.nameOf('key'));
  }

  // What few need is loaded when it is used: somebody waits for `wsconn connect`.

  async #findRoute(): Promise<ProxyRoute | undefined> {
    const named = namedProxy(this.#values);
    if (named === undefined && !PROXY_VARIABLES.some((name) => process.env[name])) return undefined;
    const { proxyRoute } = await import('./proxy.ts');
    return proxyRoute(this.url, named, PROXY_VARIABLES);
  }

  #secretFiles(): Promise<SecretFiles> {
    this.#files ??= import('./secret-files.ts').then(
      ({ SecretFiles }) => new SecretFiles(this.#log),
    );
    return this.#files;
  }
}

function checkUrl(values: DialValues): URL {
  const text = values.required('url');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problem = problemOf(url, text);
  if (!url || problem !== undefined) {
    // A variable or a file is there for secrets, and half a URL may hold one anywhere.
    const what = values.source('url') === 'command line' ? showGiven(text) : values.nameOf('url');
    throw usageFailure(`${what} ${String(problem)}: give one such as wss://host/path`);
  }
  rememberSecretsOf(url);
  checkSecret(text, values.source('url'), 'URL');
  return url;
}

/** Returns why a text is not the URL of a server; undefined if it is. */
function problemOf(url: URL | undefined, text: string): string | undefined {
  if (!url) return 'is not a URL';
  if (!/^(ws|http)s?:$/.test(url.protocol)) {
    // In USER:PASSWORD@HOST the user takes the place of a scheme.
    return text.includes('://') ? `begins with ${url.protocol}//` : 'is not a URL';
  }
  return url.hash === '' ? undefined : 'has a fragment (#), which is never sent';
}

function namedProxy(values: DialValues): NamedProxy | undefined {
  const url = values.text('proxy');
  return url === undefined ? undefined : { url, option: values.nameOf('proxy') };
}

/** Refuses a password in a URL of the command line, where everybody can read it. */
function checkSecret(url: string | undefined, source: Source, name: string): void {
  if (url === undefined || source !== 'command line' || !URL.canParse(url)) return;
  if (new URL(url).password !== '') {
    const variable = variableOf(name.replace('--', ''));
    throw usageFailure(
      `${name} holds a password, and everybody can read a command line: put it into ${variable}`,
    );
  }
}

function readHeaders(values: DialValues): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [index, line] of values.list('header').entries()) {
    const { name, value } =
      /^(?<name>[!#$%&'*+\-.^_`|~\w]+):\s*(?<value>[\t\x20-\x7e]*)$/.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined) {
      // It is not shown: it may be a secret.
      throw usageFailure(
        `${values.nameOf('header', index)} must be 'NAME: VALUE' in ASCII, but number ${String(index + 1)} is not`,
      );
    }
    if (isSecret(name)) rememberSecrets(value, ...value.split(' ').slice(1));
    if (isSecret(name) && values.source('header') === 'command line') {
      throw usageFailure(
        `the header ${name} is a secret, and everybody can read a command line: use --token-file or WSCONN_HEADER`,
      );
    }
    // Two headers of one name are one header with a list (RFC 9110, section 5.3).
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

function isEncrypted({ protocol }: URL): boolean {
  return protocol === 'wss:' || protocol === 'https:';
}

function isSecret(header: string): boolean {
  return SECRET_HEADERS.has(header.toLowerCase());
}
