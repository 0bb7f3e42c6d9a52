import { randomBytes } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';

import ssh2, { type ClientChannel } from 'ssh2';

import { FloodSkip } from './flood-skip.ts';
import { Outbox } from './shared/outbox.ts';
import type { FromServer, Size } from './shared/protocol.ts';
import type { Settings } from './settings.ts';

/** Where a shell sends its messages; a page, while there is one. */
export interface Audience {
  send(message: FromServer): void;
  /** Another page has the shell now. */
  replaced(): void;
}

/**
 * Output in characters that the page may be behind before the shell has to wait. It is kept for
 * sending again, too: so this is also what a shell takes of the memory while its page is away.
 */
const MOST_UNCONFIRMED = 131_072;
/** Where the shell may go on. */
const FEW_UNCONFIRMED = 32_768;

/** Input in bytes that may wait for the shell; well-behaved pages stay far below. */
const MOST_INPUT = 1_048_576;

const CTRL_C = '\x03';

/** A shell on the SSH server: goes on while no page is connected, and loses no output. */
export class Shell {
  /** Nobody can guess it: 128 random bits. */
  readonly id = randomBytes(16).toString('base64url');
  readonly name: string;
  /** Resolves when it is gone, whether it ended by itself, was ended or never began. */
  readonly closed: Promise<void>;
  readonly #client = new ssh2.Client();
  readonly #output = new Outbox();
  #channel: ClientChannel | null = null;
  #audience: Audience | null = null;
  #size: Size;
  #received = 0;
  #skip: FloodSkip | null = null;
  /** What it ended with, also for a page that comes later. */
  #ending: FromServer | null = null;

  constructor(login: Settings['login'], size: Size) {
    this.name = `${login.username}@${login.host}`;
    this.#size = size;
    this.closed = new Promise((resolve) => {
      this.#client.on('close', resolve);
    });
    this.#client.on('ready', () => {
      this.#open();
    });
    this.#client.on('error', (error) => {
      this.#finish({ type: 'error', text: `${this.name}: ${error.message}` });
    });
    this.#client.on('close', () => {
      this.#finish({ type: 'error', text: `${this.name} ended the connection` });
    });
    this.#client.connect(login);
  }

  /** Whether it has begun, and not ended. */
  get isRunning(): boolean {
    return this.#channel !== null && this.#ending === null;
  }

  /**
   * Sends everything after `received` to this audience from now on, once the shell has begun.
   * @throws RangeError where it has never sent so much
   */
  attach(audience: Audience, received: number): void {
    const missing = this.#output.from(received);
    this.#audience?.replaced();
    this.#audience = audience;
    // Only a page that was told its id can ask for a shell that has begun.
    if (this.#channel) this.#introduce(true);
    for (const data of missing) this.#send({ type: 'output', data });
    if (this.#ending) this.#send(this.#ending);
    this.#goOn();
  }

  /** Sends nothing to this audience any more. Returns false where it had been replaced before. */
  detach(audience: Audience): boolean {
    if (this.#audience !== audience) return false;
    this.#audience = null;
    return true;
  }

  /**
   * Takes input, and acknowledges it when ssh2 has sent it.
   * @throws RangeError where a page does not wait for that
   */
  input(data: string): void {
    const channel = this.#channel;
    if (!channel || this.#ending) return; // The page is told so, and asks for a new shell.
    if (channel.writableLength > MOST_INPUT) throw new RangeError('sends more than it may');
    const waiting = this.#output.length + channel.readableLength;
    if (data === CTRL_C && waiting > MOST_UNCONFIRMED && !this.#skip) this.#skipFlood(channel);
    this.#received += data.length;
    const position = this.#received;
    channel.write(data, () => {
      this.#send({ type: 'ack', position });
    });
  }

  resize(size: Size): void {
    this.#size = size;
    if (this.isRunning) this.#channel?.setWindow(size.rows, size.cols, 0, 0);
  }

  /**
   * Records how much of the output a page has drawn.
   * @throws RangeError where so much was never sent
   */
  confirm(position: number): void {
    this.#output.confirm(position);
    this.#goOn();
  }

  /** Ends the session; sshd sends SIGHUP to what runs in it. */
  end(): void {
    this.#ending ??= { type: 'exit', text: 'The shell was ended.' };
    this.#client.end();
  }

  #open(): void {
    if (this.#ending) return; // It was ended while it logged in.
    const { cols, rows } = this.#size;
    const terminal = { term: 'xterm-256color', cols, rows };
    this.#client.shell(terminal, { env: { LANG: utf8Locale() } }, (error, channel) => {
      if (error) {
        this.#finish({ type: 'error', text: `${this.name}: ${error.message}` });
        return;
      }
      this.#channel = channel;
      this.#introduce(false);
      this.#read(channel);
    });
  }

  #introduce(resumed: boolean): void {
    const { id, name } = this;
    this.#send({ type: 'shell', id, name, resumed, received: this.#received });
  }

  #read(channel: ClientChannel): void {
    // Keeps the first bytes of a character until the others are there.
    const decoder = new StringDecoder('utf8');
    channel.on('data', (chunk: Buffer) => {
      const data = decoder.write(chunk);
      if (this.#skip) this.#skip.take(data);
      else this.#print(channel, data);
    });
    let ending = 'The shell ended.';
    channel.on('exit', (code: number | null, signal?: string) => {
      if (code === null) ending = `The shell was ended by ${signal ?? 'a signal'}.`;
      else if (code !== 0) ending = `The shell ended with exit code ${String(code)}.`;
    });
    // After the last of the output: 'close' of ssh2's channels waits for 'end'.
    channel.on('close', () => {
      this.#skip?.end();
      this.#finish({ type: 'exit', text: ending });
    });
    channel.stderr.resume(); // A terminal has one stream; nothing comes here.
  }

  #print(channel: ClientChannel, data: string): void {
    if (data === '') return;
    this.#output.push(data);
    this.#send({ type: 'output', data });
    if (this.#output.length > MOST_UNCONFIRMED) channel.pause();
  }

  #skipFlood(channel: ClientChannel): void {
    this.#skip = new FloodSkip((text) => {
      this.#skip = null;
      this.#print(channel, text);
    });
    channel.resume();
  }

  #goOn(): void {
    if (this.#output.length < FEW_UNCONFIRMED) this.#channel?.resume();
  }

  #finish(ending: FromServer): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#send(ending);
    this.#client.end();
  }

  #send(message: FromServer): void {
    this.#audience?.send(message);
  }
}

/**
 * Returns what ssh would send as LANG, if that is UTF-8: xterm.js knows nothing else, and without a
 * locale bash takes the bytes of other letters for commands. sshd takes it with AcceptEnv LANG.
 */
function utf8Locale(): string {
  const { LANG = '' } = process.env;
  return /utf-?8$/i.test(LANG) ? LANG : 'C.UTF-8';
}
