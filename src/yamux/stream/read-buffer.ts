import { ChunkQueue } from '../../base/chunk-queue.ts';
import { ReadDemand, type ServedStream } from '../../base/read-demand.ts';
import type { WindowBudget } from './receive-window.ts';

/**
 * Pushes to Readable what it asks for, holds what it has not asked for and the end behind that, and
 * counts what waits for the user.
 */
export class ReadBuffer {
  readonly #stream: ServedStream;
  readonly #budget: WindowBudget;
  readonly #demand: ReadDemand;
  readonly #queue = new ChunkQueue();
  #unread = 0;
  /** Whether Readable has asked for bytes and got none. */
  #wanted = false;
  /**
   * The end of the peer's half: whether it waits behind bytes that were not asked for, Readable has
   * it, or it is not to have it.
   */
  #end: 'to come' | 'waiting' | 'passed' | 'dropped' = 'to come';
  /** Whether the stream has its user; until then its end waits, even with nothing before it. */
  #adopted = false;

  constructor(stream: ServedStream, budget: WindowBudget) {
    this.#stream = stream;
    this.#budget = budget;
    this.#demand = new ReadDemand(stream);
  }

  /** Bytes that waited for the user at the last `update()`. */
  get unread(): number {
    return this.#unread;
  }

  /** Readable asks for bytes. */
  want(): void {
    this.#wanted = true;
    this.#feed();
    this.#passEnd();
  }

  /** The reader asks for so many bytes at once; for what there is, where it does not say. */
  beforeRead(size: number | undefined): void {
    if (this.#demand.onRead(size)) this.#feed();
  }

  /** The reader got them, or must wait until there are as many. */
  afterRead(size: number | undefined, got: boolean): void {
    this.#demand.onReadDone(size, got);
    this.#feed();
    // Not within read(): the end makes Readable call the reader, who has not got yet what this
    // read() gives.
    if (this.#end === 'waiting') {
      process.nextTick(() => {
        this.#passEnd();
      });
    }
  }

  /** Bytes came. */
  add(piece: Buffer): void {
    if (this.#end === 'dropped') return;
    if (this.#stream.readableFlowing && this.#stream.readableLength + this.#queue.length === 0) {
      this.#stream.push(piece);
      return;
    }
    this.#queue.add(piece);
    this.#feed();
  }

  /** The end came. */
  end(): void {
    if (this.#end !== 'to come') return;
    this.#end = 'waiting';
    this.#feed();
    this.#passEnd();
  }

  /**
   * Whether Readable waits for more than it has, as for `read(n)` of a large n: what it has is no
   * reason to hold the peer back.
   */
  get starving(): boolean {
    return this.#wanted && this.#queue.length === 0;
  }

  /** The stream has its user. */
  adopt(): void {
    this.#adopted = true;
    this.#tellEnd();
  }

  /** Counts again what waits, after bytes came or were read. */
  update(): void {
    this.#record(this.#stream.readableLength + this.#queue.length);
  }

  /**
   * Throws away what Readable has not asked for and what comes yet. The end goes with it: it would
   * say that all was there.
   */
  discard(): void {
    if (this.#end !== 'passed') this.#end = 'dropped';
    this.#queue.clear();
    this.update();
  }

  /** Throws away all that waits: nobody will read it. */
  abandon(): void {
    this.#queue.clear();
    this.#record(0);
  }

  #feed(): void {
    while (this.#wanted && this.#demand.takesMore) {
      const block = this.#queue.take();
      if (block === undefined) break;
      this.#wanted = false;
      // When it wants more it asks again, maybe within this call.
      this.#stream.push(block);
    }
  }

  #passEnd(): void {
    if (this.#end !== 'waiting' || this.#queue.length > 0) return;
    this.#end = 'passed';
    this.#stream.push(null);
    this.#tellEnd();
  }

  /** As net.Socket does it: who never reads is to see the end too, if nothing waits before it. */
  #tellEnd(): void {
    if (this.#adopted && this.#end === 'passed') this.#stream.read(0);
  }

  #record(unread: number): void {
    if (unread === this.#unread) return;
    this.#budget.addUnread(unread - this.#unread);
    this.#unread = unread;
  }
}
