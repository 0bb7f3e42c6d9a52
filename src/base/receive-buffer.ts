import { ChunkQueue } from './chunk-queue.ts';
import { ReadDemand, type ServedStream } from './read-demand.ts';

/** Where the messages come from. */
export interface PausableSource {
  /** Holds the peer back, if it is not held back already. */
  pause(): void;
  /** Allows the peer to go on, if it is held back. */
  resume(): void;
}

/**
 * Bytes from which a message is handed on by itself: it is worth a write of its own, and not worth
 * a copy.
 */
const LARGE = 4_096;

/**
 * Takes the messages that come and passes to Readable what its reader asks for. Small messages of
 * one turn of the event loop come out as one chunk. What waits for a reader costs memory in
 * proportion to its bytes, however small the messages were. While as much as the high-water mark
 * waits, the peer is held back.
 */
export class ReceiveBuffer {
  readonly #stream: ServedStream;
  #source: PausableSource;
  readonly #demand: ReadDemand;
  /** Made when a second message waits: most connections never need it. */
  #queue: ChunkQueue | null = null;
  /** The only message that waits, not copied yet: most turns bring no second one. */
  #single: Buffer | null = null;
  /** Whether what waits is handed on when the turn is over. */
  #scheduled = false;
  /** The peer's end: whether it waits behind bytes, or Readable has it. */
  #end: 'to come' | 'waiting' | 'passed' = 'to come';
  #discarding = false;

  constructor(stream: ServedStream, source: PausableSource) {
    this.#stream = stream;
    this.#source = source;
    this.#demand = new ReadDemand(stream);
  }

  /** Bytes that wait here, before Readable has them. */
  get length(): number {
    return (this.#queue?.length ?? 0) + (this.#single?.length ?? 0);
  }

  /** Bytes that the reader waits to get at once; 0 where it takes what there is. */
  get wanted(): number {
    return this.#demand.wanted;
  }

  /** The messages come from elsewhere now. */
  moveTo(source: PausableSource): void {
    this.#source = source;
    this.#balance();
  }

  /** Takes a message; the bytes are the buffer's from then on. */
  add(bytes: Buffer): void {
    if (this.#discarding) return;
    const isLarge = bytes.length >= LARGE && this.#stream.readableFlowing === true;
    if (isLarge) this.#feed();
    if (isLarge && this.length === 0) {
      this.#stream.push(bytes);
    } else {
      if (this.length === 0) {
        this.#single = bytes;
      } else {
        this.#spill();
        this.#enqueue(bytes);
      }
      this.#schedule();
    }
    this.#balance();
  }

  /** Takes the peer's end, which comes behind the bytes. */
  end(): void {
    if (this.#end !== 'to come' || this.#discarding) return;
    this.#end = 'waiting';
    this.#feed();
    this.#passEnd();
    this.#balance();
  }

  /** Hands on what the turn has brought, before an error that follows it. */
  flush(): void {
    if (!this.#discarding) this.#feed();
  }

  /** Readable asks for bytes. */
  want(): void {
    this.#feed();
    this.#passEnd();
    this.#balance();
  }

  /** The reader asks for so many bytes at once; for what there is, where it does not say. */
  beforeRead(size: number | undefined): void {
    if (this.#demand.onRead(size)) this.#feed();
  }

  /** The reader got them, or must wait until there are as many. */
  afterRead(size: number | undefined, got: boolean): void {
    this.#demand.onReadDone(size, got);
    this.#feed();
    this.#balance();
    // Not within read(): the end makes Readable call the reader, who has not got yet what this
    // read() gives.
    if (this.#end === 'waiting') this.#schedule();
  }

  /** Discards what comes from now on; what waits may still be read. */
  discard(): void {
    this.#discarding = true;
  }

  /** Discards what waits, too: nobody will read it. */
  clear(): void {
    this.#discarding = true;
    this.#single = null;
    this.#queue = null;
  }

  /**
   * Copies the only message to the queue, so that a few bytes do not keep alive all that the socket
   * has read with them.
   */
  #spill(): void {
    if (this.#single) this.#enqueue(this.#single);
    this.#single = null;
  }

  #enqueue(bytes: Buffer): void {
    this.#queue ??= new ChunkQueue();
    this.#queue.add(bytes);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#feed();
      this.#passEnd();
      this.#balance();
    });
  }

  #feed(): void {
    while (this.length > 0 && this.#demand.takesMore) {
      const block = this.#single ?? this.#queue?.take();
      this.#single = null;
      if (block) this.#stream.push(block);
    }
    this.#spill();
  }

  /**
   * Passes the end to Readable, if nothing waits before it.
   *
   * As in net.Socket, a user who never reads sees the end too. That comes a turn later, since an
   * end may come with the handshake, when a promise for the stream has not got to its user yet.
   */
  #passEnd(): void {
    if (this.#end !== 'waiting' || this.length > 0) return;
    this.#end = 'passed';
    this.#stream.push(null);
    setImmediate(() => {
      this.#stream.read(0);
    });
  }

  /** Holds the peer back or allows it to go on, by what waits. */
  #balance(): void {
    const waiting = this.length + this.#stream.readableLength;
    const enough =
      waiting > 0 &&
      waiting >= this.#stream.readableHighWaterMark &&
      waiting >= this.#demand.wanted;
    // Behind the end no data comes that could be too much, but the peer's Close.
    if (enough && this.#end === 'to come' && !this.#discarding) this.#source.pause();
    else this.#source.resume();
  }
}
