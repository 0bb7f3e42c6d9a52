import { Outbox } from '../shared/outbox.ts';
import {
  type FromPage,
  type FromServer,
  PAGE_LEFT,
  REPLACED,
  type Size,
} from '../shared/protocol.ts';
import { delayAfter } from './back-off.ts';
import { Liveness } from './liveness.ts';

/** What a connection tells the page. */
export interface ConnectionHost {
  size(): Size;
  /** A shell is there: the first, the one that was there before, or one in place of that. */
  onShell(kind: 'first' | 'resumed' | 'replaced', name: string): void;
  /** Calls `drawn` when the terminal has taken the output in. */
  onOutput(data: string, drawn: () => void): void;
  /** The connection is lost; the next try comes after so many ms. */
  onLost(delay: number): void;
  /** There is no shell any more, and none is asked for before `connect()`. */
  onEnded(text: string): void;
}

/** One shell as the page sees it; positions as in the protocol. */
interface ShellView {
  readonly id: string;
  /** Input that was sent, and input that has to wait until the shell has taken some of that. */
  readonly input: Outbox;
  readonly waiting: string[];
  received: number;
  drawn: number;
  acknowledged: number;
}

/** Output in characters after which the server is told that it was drawn. */
const ACK_EVERY = 8_192;
/** Characters of input in one message; a paste may have more. */
const LARGEST_INPUT = 4_096;
/** Characters of input that the shell may be behind. */
const MOST_INPUT = 65_536;

/** The page's WebSocket, and the next one when it is lost. */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #url: string;
  readonly #token: string;
  readonly #liveness: Liveness;
  #webSocket: WebSocket | null = null;
  #shell: ShellView | null = null;
  /** Whether the server has said which shell this WebSocket has. */
  #isOpen = false;
  #tries = 0;
  #timer = 0;

  constructor(host: ConnectionHost, url: string, token: string) {
    this.#host = host;
    this.#url = url;
    this.#token = token;
    this.#liveness = new Liveness(
      () => {
        this.#send({ type: 'ping' });
      },
      () => {
        this.#lose();
      },
    );
  }

  /** Connects now, unless it is connected or about to be. */
  connect(): void {
    clearTimeout(this.#timer);
    if (this.#webSocket) return;
    const webSocket = new WebSocket(this.#url);
    this.#webSocket = webSocket;
    this.#liveness.heard();
    webSocket.onopen = () => {
      const shell = this.#shell && { id: this.#shell.id, received: this.#shell.received };
      const hello = { type: 'hello', token: this.#token, size: this.#host.size() } as const;
      this.#send(shell ? { ...hello, shell } : hello);
    };
    webSocket.onmessage = ({ data }) => {
      this.#liveness.heard();
      this.#obey(JSON.parse(String(data)) as FromServer);
    };
    webSocket.onclose = ({ code, reason }) => {
      if (code === REPLACED) this.#end(`Closed: ${reason}.`);
      else this.#lose();
    };
  }

  /** Something has changed, such as the network: connects at once, or asks whether the server is there. */
  check(): void {
    if (this.#webSocket) this.#liveness.ask();
    else if (this.#timer !== 0) this.connect();
  }

  /** Ends the connection and with it the shell, because the page is left. */
  leave(): void {
    this.#discard(PAGE_LEFT);
    clearTimeout(this.#timer);
  }

  /** Sends what was typed. Before a shell is there nothing can be typed. */
  input(data: string): void {
    if (!this.#shell || !this.#isOpen) return;
    this.#shell.waiting.push(...pieces(data, LARGEST_INPUT));
    this.#sendInput(this.#shell);
  }

  resize(size: Size): void {
    if (this.#isOpen) this.#send({ type: 'resize', size });
  }

  #send(message: FromPage): void {
    if (this.#webSocket?.readyState !== WebSocket.OPEN) return; // 'close' follows, and a new hello.
    this.#webSocket.send(JSON.stringify(message));
  }

  #obey(message: FromServer): void {
    switch (message.type) {
      case 'shell':
        this.#begin(message);
        break;
      case 'output':
        this.#show(message.data);
        break;
      case 'ack':
        if (!this.#shell) break;
        this.#shell.input.confirm(message.position);
        this.#sendInput(this.#shell);
        break;
      case 'exit':
      case 'error':
        this.#end(message.text);
        break;
      case 'pong': // Liveness has heard it.
    }
  }

  #begin({ id, name, resumed, received }: Extract<FromServer, { type: 'shell' }>): void {
    this.#tries = 0;
    this.#isOpen = true;
    const old = this.#shell;
    if (old && resumed) {
      this.#host.onShell('resumed', name);
      for (const data of old.input.from(received)) this.#send({ type: 'input', data });
      this.#sendInput(old);
    } else {
      const none = { received: 0, drawn: 0, acknowledged: 0 };
      this.#shell = { id, input: new Outbox(), waiting: [], ...none };
      this.#host.onShell(old ? 'replaced' : 'first', name);
    }
  }

  #sendInput({ input, waiting }: ShellView): void {
    while (input.length < MOST_INPUT) {
      const data = waiting.shift();
      if (data === undefined) return;
      input.push(data);
      this.#send({ type: 'input', data });
    }
  }

  #show(data: string): void {
    const shell = this.#shell;
    if (!shell) return;
    shell.received += data.length;
    this.#host.onOutput(data, () => {
      shell.drawn += data.length;
      if (shell !== this.#shell || shell.drawn - shell.acknowledged < ACK_EVERY) return;
      shell.acknowledged = shell.drawn;
      this.#send({ type: 'ack', position: shell.drawn });
    });
  }

  #lose(): void {
    this.#discard(REPLACED);
    const delay = delayAfter(this.#tries++);
    this.#timer = window.setTimeout(() => {
      this.connect();
    }, delay);
    this.#host.onLost(delay);
  }

  #end(text: string): void {
    this.#discard(REPLACED);
    this.#shell = null;
    this.#timer = 0;
    this.#host.onEnded(text);
  }

  /** Hears nothing of this WebSocket any more: its closing handshake may take minutes. */
  #discard(code: number): void {
    const webSocket = this.#webSocket;
    this.#webSocket = null;
    this.#isOpen = false;
    this.#liveness.stop();
    if (!webSocket) return;
    webSocket.onopen = webSocket.onmessage = webSocket.onclose = null;
    webSocket.close(code);
  }
}

/** Cuts text, but not the two halves of a character apart. */
function* pieces(text: string, largest: number): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + largest, text.length);
    if (end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end--;
    yield text.slice(start, end);
    start = end;
  }
}
