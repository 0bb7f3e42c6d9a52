import { createHash, timingSafeEqual } from 'node:crypto';

import type { RawData, WebSocket } from 'ws';
import { Keepalive } from 'ws-conn-adapter';

import { readMessage } from './messages.ts';
import { type FromPage, type FromServer, PAGE_LEFT, REPLACED } from './shared/protocol.ts';
import type { Audience, Shell } from './shell.ts';
import type { Shells } from './shells.ts';

/** Time in ms that a page has for its 'hello'. */
const HELLO_TIMEOUT = 10_000;
/**
 * Well below the idle limit of any load balancer; the 2 s of this example's tests ask for less than
 * the default of 15 s.
 */
const KEEPALIVE = { interval: 1_000, pongTimeout: 5_000 };

const GOING_AWAY = 1001;
const VIOLATION = 1008;

/** One WebSocket of a page. */
export class PageConnection implements Audience {
  readonly #ws: WebSocket;
  readonly #shells: Shells;
  readonly #token: string;
  #shell: Shell | null = null;

  constructor(ws: WebSocket, shells: Shells, token: string) {
    this.#ws = ws;
    this.#shells = shells;
    this.#token = token;
    const keepalive = new Keepalive(ws, KEEPALIVE);
    keepalive.on('dead', (error) => {
      console.log(`page: ${error.message}`); // The WebSocket is terminated, and 'close' follows.
    });
    const helloTimer = setTimeout(() => {
      ws.close(VIOLATION, 'no hello');
    }, HELLO_TIMEOUT);
    ws.on('message', (data) => {
      clearTimeout(helloTimer);
      this.#onMessage(data);
    });
    ws.on('error', (error) => {
      console.log(`page: ${error.message}`); // 'close' follows.
    });
    ws.on('close', (code) => {
      clearTimeout(helloTimer);
      this.#onClose(code);
    });
  }

  send(message: FromServer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return; // What a shell prints is sent again.
    this.#ws.send(JSON.stringify(message));
    // Nothing follows these: the page has to ask for a new shell.
    if (message.type === 'exit' || message.type === 'error') this.#ws.close(1000);
  }

  replaced(): void {
    this.#ws.close(REPLACED, 'the shell is in another page');
  }

  #onMessage(data: RawData): void {
    try {
      this.#obey(readMessage((data as Buffer).toString()));
    } catch (error) {
      // Close takes a reason of 123 bytes.
      this.#ws.close(VIOLATION, (error as Error).message.slice(0, 100));
    }
  }

  #obey(message: FromPage): void {
    if (message.type === 'hello') this.#welcome(message);
    else if (message.type === 'ping') this.send({ type: 'pong' });
    else if (!this.#shell) throw new Error('the first message must be hello');
    else if (message.type === 'input') this.#shell.input(message.data);
    else if (message.type === 'resize') this.#shell.resize(message.size);
    else this.#shell.confirm(message.position);
  }

  #welcome(hello: Extract<FromPage, { type: 'hello' }>): void {
    if (this.#shell) throw new Error('there was a hello before');
    if (isSame(hello.token, this.#token)) this.#shell = this.#shells.attach(this, hello);
    else this.send({ type: 'error', text: 'Open the address that the server has printed.' });
  }

  #onClose(code: number): void {
    const shell = this.#shell;
    const wasLeft = code === GOING_AWAY || code === PAGE_LEFT;
    console.log(`page: closed with code ${String(code)}`);
    if (!shell?.detach(this)) return;
    // A shell that never began, or has ended with its page there, is nothing to come back to.
    if (wasLeft || !shell.isRunning) this.#shells.end(shell);
    else this.#shells.keep(shell);
  }
}

/** Compares in a time that does not tell how much of a token is right. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
