import type { Done } from '../../adapter/close-procedure.ts';
import type { Connection } from '../../adapter/connection.ts';
import type { Transport } from '../../adapter/transport.ts';
import { Deadline } from '../../base/deadline.ts';
import { WsConnError } from '../../base/errors.ts';
import type { WriteCallback } from '../../base/pending-write.ts';
import type { ReceiveBuffer } from '../../base/receive-buffer.ts';
import type { SocketDuplex } from '../../base/socket-duplex.ts';
import type { Write } from '../../base/write-run.ts';

/** Who finds out over what a stream runs. */
export interface Decision {
  /** Whether a stream may be ended in order only when it is known: for the peer's sake. */
  readonly mattersForEnds: boolean;
  /** Something waits for it. */
  hurry(): void;
}

/**
 * Stands in while it is not known yet whether a connection outlives its WebSocket: keeps what the
 * stream wants to send or to end, until `decide()` says who takes it.
 */
export class UndecidedTransport implements Transport {
  readonly received: ReceiveBuffer;
  readonly #stream: SocketDuplex;
  readonly #connection: Connection;
  readonly #decision: Decision;
  readonly #limit: Deadline;
  #decided: Transport | null = null;
  #resetting = false;
  #abandoned = false;
  /** What waits, in order. */
  #held: ((transport: Transport) => void)[] = [];
  /** The write that Writable waits for. */
  #callback: WriteCallback | null = null;
  #length = 0;
  #lost = 0;

  /**
   * @param connection - holds the WebSocket until then
   * @param closeTimeout - time in ms that the end of the stream waits for the decision
   */
  constructor(
    stream: SocketDuplex,
    connection: Connection,
    decision: Decision,
    closeTimeout: number,
  ) {
    this.#stream = stream;
    this.#connection = connection;
    this.#decision = decision;
    this.received = connection.received;
    this.#closeTimeout = closeTimeout;
    this.#limit = new Deadline(() => {
      this.#onLimit();
    });
  }

  readonly #closeTimeout: number;

  get connecting(): boolean {
    return this.#connection.connecting;
  }

  get ending(): boolean {
    return this.#connection.ending;
  }

  get referenced(): boolean {
    return this.#connection.referenced;
  }

  get bytesRead(): number {
    return 0;
  }

  /** Bytes of the write that was lost while it was not known: none that it has passed on. */
  get bytesDone(): number {
    return this.#lost;
  }

  get maxMessageBytes(): number {
    return this.#connection.maxMessageBytes;
  }

  get givesMemoryBack(): boolean {
    return this.#connection.givesMemoryBack;
  }

  /** Whether it is known. */
  get decided(): boolean {
    return this.#decided !== null;
  }

  /** Whether the stream was broken off before: what comes now begins nothing. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** Passes on what waits. */
  decide(transport: Transport): void {
    if (this.#decided) return;
    this.#decided = transport;
    this.#limit.stop();
    this.#callback = null;
    for (const action of this.#held.splice(0)) action(transport);
  }

  write(chunk: Buffer, callback: WriteCallback): void {
    this.#take(chunk.length, callback);
    this.#hold((transport) => {
      transport.write(chunk, callback);
    });
  }

  writev(writes: readonly Write[], callback: WriteCallback): void {
    // As one: by then more may have been written than Writable has handed over with these.
    this.write(Buffer.concat(writes.map(({ chunk }) => chunk)), callback);
  }

  finish(callback: () => void): void {
    this.#hold((transport) => {
      transport.finish(callback);
    });
  }

  onRead(): void {
    // Nothing has come yet.
  }

  close(code: number, reason: string): void {
    if (!this.#decision.mattersForEnds || this.#stream.destroyed) {
      this.#connection.close(code, reason);
      return;
    }
    this.#holdWithLimit((transport) => {
      transport.close(code, reason);
    });
  }

  destroyAgain(error: Error | null): void {
    this.#connection.destroyAgain(error);
  }

  reset(): void {
    this.#resetting = true;
    this.#connection.reset();
  }

  hangUp(error: Error | null, done: Done): void {
    const inOrder = error === null && !this.#resetting && this.#stream.writableLength === 0;
    if (!inOrder || !this.#decision.mattersForEnds || this.#connection.link.closed) {
      this.#abandoned = true;
      this.#held = [];
      this.#connection.hangUp(error, done);
      return;
    }
    this.#holdWithLimit((transport) => {
      transport.hangUp(error, done);
    });
  }

  dropWrite(tell: (settle: (error: Error | null) => void) => void): void {
    const callback = this.#callback;
    this.#callback = null;
    process.nextTick(() => {
      tell((error) => {
        if (!callback) return;
        this.#lost += this.#length;
        callback(error);
      });
    });
  }

  setNoDelay(noDelay: boolean): void {
    this.#connection.setNoDelay(noDelay);
  }

  setKeepAlive(enable: boolean, initialDelay: number): void {
    this.#connection.setKeepAlive(enable, initialDelay);
  }

  setReferenced(referenced: boolean): void {
    this.#connection.setReferenced(referenced);
  }

  #take(length: number, callback: WriteCallback): void {
    this.#length = length;
    this.#callback = callback;
  }

  /** The end of the stream waits no longer. Bytes are not sent on a guess of what the peer takes. */
  #onLimit(): void {
    if (this.#callback && !this.#stream.destroyed) {
      const limit = String(this.#closeTimeout);
      const happened = `the peer did not show within ${limit} ms whether it resumes, so nothing was sent`;
      this.#stream.destroy(new WsConnError('ETIMEDOUT', happened));
    } else {
      this.decide(this.#connection);
    }
  }

  #hold(action: (transport: Transport) => void): void {
    this.#held.push(action);
    this.#decision.hurry();
  }

  #holdWithLimit(action: (transport: Transport) => void): void {
    this.#limit.start(this.#closeTimeout);
    this.#limit.ref();
    this.#hold(action);
  }
}
