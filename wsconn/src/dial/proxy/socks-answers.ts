import type { Socket } from 'node:net';

/** Ways to log in (RFC 1928, section 3). */
const USER_AND_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;

const VERSION = 5;
const GRANTED = 0;

/** What a reply to CONNECT means (RFC 1928, section 6). */
const REPLIES: Readonly<Record<number, string>> = {
  1: 'it failed, and does not say why (1): ask its operator',
  2: 'its rules do not allow this address or port (2): ask its operator',
  3: 'it cannot reach the network of the server (3): check host and port of the URL',
  4: 'it cannot reach the server (4): check host and port of the URL',
  5: 'the server refuses the connection (5): check host and port of the URL',
  6: 'it got no answer from the server (6): check host and port of the URL',
  7: 'it does not support CONNECT (7): use another proxy',
  8: 'it does not support this kind of address (8): with socks5:// it gets an address, with socks5h:// the name',
};

/** The most bytes of answers that matter: of the way to log in, the login, and the reply. */
const LONGEST = 6;

/**
 * Keeps what a SOCKS proxy answers, whose place in the bytes is fixed: the client of `socks` tells
 * of it in words only.
 */
export class SocksAnswers {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
  }

  /** Stops listening. */
  stop(): void {
    this.#socket.off('data', this.#onData);
  }

  /**
   * Returns why the proxy refused; undefined where it did not, or does not speak SOCKS 5.
   * @param loggedIn - whether user or password were given
   */
  refusal(loggedIn: boolean): string | undefined {
    const [version, way, ...rest] = this.#bytes;
    if (version !== VERSION) return undefined;
    if (way === NONE_ACCEPTABLE) {
      return loggedIn
        ? 'it takes no login by user and password: ask its operator'
        : 'it requires a login: put user and password into the URL of WSCONN_PROXY';
    }
    const [, login] = rest;
    if (way === USER_AND_PASSWORD && login !== undefined && login !== GRANTED) {
      return 'it refuses user or password: check those in its URL';
    }
    const [, reply] = way === USER_AND_PASSWORD ? rest.slice(2) : rest;
    if (reply === undefined || reply === GRANTED) return undefined;
    return REPLIES[reply] ?? `it answered with the unknown reply ${String(reply)}`;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(0, LONGEST);
  };
}
