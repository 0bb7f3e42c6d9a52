import {
  connect,
  type ConnectOptions,
  type ResumableConnectOptions,
  type ResumeOptions,
  WsConnError,
  type WsConnSocket,
} from 'ws-conn-adapter';

import { explain } from '../console/explain.ts';
import { Failure, usageFailure } from '../console/failure.ts';
import { variableOf } from '../options/options.ts';
import type { Log } from '../log/log.ts';
import { handshakeHint } from '../console/tls-errors.ts';
import type { Handshake, HandshakeOptions } from './handshake.ts';
import { PathLog } from './path-log.ts';
import { checkUrl, isEncrypted, UNIX_SCHEME } from './options/check-url.ts';
import {
  DIAL_OPTIONS,
  type DialName,
  type DialValues,
  PROXY_VARIABLES,
} from './options/dial-options.ts';

export {
  DIAL_OPTIONS,
  type DialName,
  KEEPALIVE_OPTION,
  STREAM_OPTIONS,
} from './options/dial-options.ts';

/** The largest `maxPayload` of the library. */
const LARGEST_MAX_PAYLOAD = 2 ** 31 - 1;

/** Dials the URL of the command line with its options. */
export class Dialer {
  readonly url: URL;
  readonly #stream: ResumableConnectOptions;
  /** Undefined where the URL says all. */
  readonly #handshake: Handshake | undefined;
  readonly #path: PathLog;

  private constructor(
    url: URL,
    stream: ResumableConnectOptions,
    handshake: Handshake | undefined,
    log: Log,
  ) {
    this.url = url;
    this.#stream = stream;
    this.#handshake = handshake;
    this.#path = new PathLog(log);
  }

  /**
   * Reads the options. What stands for those of the handshake is loaded only where one is given:
   * somebody waits for `wsconn connect`.
   * @param log - where it warns of secrets that others may see, and tells of a path that is lost
   * @throws Failure for an option that cannot be understood
   */
  static async of(values: DialValues, log: Log): Promise<Dialer> {
    const stream = readStreamOptions(values);
    const url = checkUrl(values);
    if (!saysMore(values, url)) return new Dialer(url, stream, undefined, log);
    const { Handshake } = await import('./handshake.ts');
    const handshake = new Handshake(values, url, log);
    await handshake.check();
    return new Dialer(url, stream, handshake, log);
  }

  /** How lines name the server: by host and port, or by the path of its socket. */
  get place(): string {
    return this.#handshake?.place ?? this.url.host;
  }

  /** The subprotocols of the user. */
  get protocols(): readonly string[] {
    return this.#handshake?.protocols ?? [];
  }

  /**
   * Starts to connect; what is written before it is connected is sent then.
   * @param url - another one of the same server
   */
  async dial(options: ConnectOptions = {}, url = this.url): Promise<WsConnSocket> {
    const { protocols } = this;
    try {
      const request = await this.request();
      const all = { protocols, ...this.#stream, ...request, ...options };
      if (all.resume === false) return connect(url, all);
      const socket = connect(url, { ...all, headers: this.#headersOfEach(request) });
      this.#path.watch(socket);
      return socket;
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Connects; resolves when the handshake is done, or rejects with what prevented it. */
  async open(options: ConnectOptions = {}): Promise<WsConnSocket> {
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

  /**
   * Returns the options of the handshake, for `connect()` and for ws alike. Files are read again
   * each time, so that a renewed one is used at once.
   */
  async request(): Promise<HandshakeOptions> {
    return (await this.#handshake?.request()) ?? {};
  }

  /** Explains to the user why a connection failed. */
  failure(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const why = this.#handshake?.meaningOf(error) ?? explain(error) + this.#hint(error);
    return new Failure(`${this.place}: ${why}`, { cause: error });
  }

  /** Returns what gives the headers of each handshake: the first are known, for later ones a file is read again. */
  #headersOfEach({ headers = {} }: HandshakeOptions): () => NonNullable<typeof headers> {
    let first = true;
    return () => {
      const again = !first;
      first = false;
      return again ? (this.#handshake?.headersAgain() ?? headers) : headers;
    };
  }

  #hint(error: unknown): string {
    if (error instanceof WsConnError && error.code === 'EMSGSIZE') {
      return '; if the server may send messages of that size, give a larger --max-payload';
    }
    const hint = this.#handshake?.hint(error) ?? '';
    return hint + handshakeHint(error, isEncrypted(this.url), this.#handshake?.certificate);
  }
}

/** Returns whether there is more to the handshake than the host and port of the URL. */
function saysMore(values: DialValues, { protocol, password }: URL): boolean {
  const names = Object.keys(DIAL_OPTIONS) as DialName[];
  const variables = [variableOf('token'), ...PROXY_VARIABLES];
  return (
    protocol === UNIX_SCHEME ||
    password !== '' ||
    names.some((name) => values.list(name).length > 0) ||
    variables.some((variable) => process.env[variable] !== undefined)
  );
}

/** Reads the options of those that carry a stream. */
function readStreamOptions(values: DialValues): ResumableConnectOptions {
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
    resume: readResume(values),
    ...(maxPayload === undefined ? {} : { maxPayload }),
  };
}

/** Reads how connections outlive their WebSockets; false where they do not. */
function readResume(values: DialValues): ResumeOptions | false {
  const giveUpAfter = values.milliseconds('resume-give-up');
  const rotate = values.milliseconds('resume-rotate') ?? 0;
  if (!values.flag('resume')) {
    const alone = (['resume-give-up', 'resume-rotate'] as const).find(
      (name) => values.source(name) !== 'default',
    );
    if (alone === undefined) return false;
    throw usageFailure(`${values.nameOf(alone)} belongs to --resume: give that too`);
  }
  return { giveUpAfter, ...(rotate > 0 ? { rotate } : {}) };
}
