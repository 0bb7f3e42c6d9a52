import type { WriteCallback } from '../base/pending-write.ts';
import type { ReceiveBuffer } from '../base/receive-buffer.ts';
import type { Write } from '../base/write-run.ts';
import type { Done } from './close-procedure.ts';

/**
 * What carries the bytes of a WsConnSocket and ends them: one WebSocket, or one after another. The
 * stream's hooks hand over to it.
 */
export interface Transport {
  /** Whether the connection is still being made. */
  readonly connecting: boolean;
  /** Whether the stream is being ended as a whole. */
  readonly ending: boolean;
  /** Whether the connection keeps the process alive. */
  readonly referenced: boolean;
  /** Bytes of payload that came. */
  readonly bytesRead: number;
  /** Bytes of writes that Writable no longer counts. */
  readonly bytesDone: number;
  /** Bytes of the largest message that it takes. */
  readonly maxMessageBytes: number;
  /** Whether nobody reads the memory of a write any more once its callback has come. */
  readonly givesMemoryBack: boolean;
  /** What came and was not read. */
  readonly received: ReceiveBuffer;
  write(chunk: Buffer, callback: WriteCallback): void;
  writev(writes: readonly Write[], callback: WriteCallback): void;
  /** Ends the writable side, when all of it was written. */
  finish(callback: () => void): void;
  /** The user has read. */
  onRead(): void;
  /** Ends the connection as the stream's close() does; called once. */
  close(code: number, reason: string): void;
  /** destroy() was called on a stream that is destroyed. */
  destroyAgain(error: Error | null): void;
  /** Resets the connection in place of ending it. */
  reset(): void;
  /** Ends the connection of a stream that is being destroyed, and calls `done` once. */
  hangUp(error: Error | null, done: Done): void;
  /**
   * Settles the write that Writable waits for, which is lost: on a tick of its own, since the
   * caller of destroy() may still be at it.
   */
  dropWrite(tell: (settle: (error: Error | null) => void) => void): void;
  setNoDelay(noDelay: boolean): void;
  setKeepAlive(enable: boolean, initialDelay: number): void;
  /** Whether the connection keeps the process alive. */
  setReferenced(referenced: boolean): void;
}
