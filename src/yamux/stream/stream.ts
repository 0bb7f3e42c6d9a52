import { addAbortSignal } from 'node:stream';

import { WsConnError } from '../../base/errors.ts';
import { PendingWrite, type WriteCallback } from '../../base/pending-write.ts';
import {
  type Addresses,
  SocketDuplex,
  type SocketDuplexOptions,
} from '../../base/socket-duplex.ts';
import type { Write } from '../../base/write-run.ts';
import type { Channel } from './channel.ts';
import { PeerTimeout, type PeerTimeoutSettings } from './peer-timeout.ts';
import { ReadBuffer } from './read-buffer.ts';
import type { WindowBudget } from './receive-window.ts';
import { StreamClose } from './stream-close.ts';

/** What a stream takes over from its session. */
export interface StreamSettings extends PeerTimeoutSettings {
  readonly addresses: Addresses;
  readonly budget: WindowBudget;
  /** Time in ms that `close()` may take. */
  readonly closeTimeout: number;
}

/**
 * Carries one of many byte streams of a session: a `net.Socket` in all but name, whose halves end
 * independently. `YamuxSession` makes them, by `open()` and for its event 'stream'.
 *
 * Where it differs from `net.Socket`:
 * - It may be written to before 'connect', which comes when the peer has accepted the stream.
 * - `destroy()` with bytes unsent, or with an error, resets the stream: the peer sees `ECONNRESET`.
 *   With nothing unsent the peer sees 'end', and is reset only if it goes on sending, as the kernel
 *   does it for TCP.
 * - 'finish' means that the transport of the session has taken the last byte. A stream that ends in
 *   order has no 'close' before that, and fails with `EPIPE` where the transport fails before.
 * - What the peer has sent and ended may be read to its end also after the 'close' of the session.
 * - `ref()`, `unref()`, `setNoDelay()` and `setKeepAlive()` do nothing: the transport is not its
 *   own.
 */
export class YamuxStream extends SocketDuplex {
  readonly #channel: Channel;
  readonly #settings: StreamSettings;
  readonly #readBuffer: ReadBuffer;
  readonly #peerTimeout: PeerTimeout;
  readonly #close: StreamClose;
  #bytesRead = 0;
  readonly #write = new PendingWrite();
  #resetting = false;
  #closing: Promise<Error | null> | null = null;

  /** @internal */
  constructor(channel: Channel, settings: StreamSettings, options: SocketDuplexOptions = {}) {
    super(options);
    this.#channel = channel;
    this.#settings = settings;
    this.#readBuffer = new ReadBuffer(this, settings.budget);
    this.#close = new StreamClose(this, channel, this.#readBuffer, settings.closeTimeout);
    this.#peerTimeout = new PeerTimeout(settings, {
      unread: () => this.#readBuffer.unread,
      onTimeout: (error) => {
        this.destroy(error);
      },
    });
    if (!channel.established) this.#readBuffer.adopt();
    this.adoptAddresses(settings.addresses);
    channel.attach({
      onOpen: () => {
        this.#onOpen();
      },
      onTaken: () => {
        // The promise of a loop over the session gets there after the ticks that are due now.
        setImmediate(() => {
          this.#readBuffer.adopt();
        });
      },
      onData: (piece) => {
        this.#onData(piece);
      },
      onFin: () => {
        this.#onFin();
      },
      onReset: () => {
        this.destroy(resetError(channel));
      },
      onSessionClosing: () => {
        void this.close();
      },
      onSessionEnd: (error) => {
        this.#onSessionEnd(error);
      },
      onLost: (error) => {
        const lost = 'the transport failed before it had taken all that was written';
        this.destroy(new WsConnError('EPIPE', lost, { cause: error }));
      },
    });
    if (!channel.established) this.#peerTimeout.awaitAccept();
    if (options.signal) addAbortSignal(options.signal, this);
  }

  /** Number of the stream on the wire: odd if the client has opened it, even if the server has. */
  get id(): number {
    return this.#channel.id;
  }

  /**
   * Always: what is written is copied into the frames.
   * @internal
   */
  override get givesMemoryBack(): boolean {
    return true;
  }

  override get connecting(): boolean {
    return !this.#channel.established && !this.#channel.gone && !this.destroyed;
  }

  override get bytesRead(): number {
    return this.#bytesRead;
  }

  override get bytesWritten(): number {
    return this.#write.bytesDone + this.writableLength;
  }

  /**
   * Ends the stream in order: sends what was written and FIN; what arrives meanwhile, and what was
   * not read yet, is thrown away, with no 'end' behind it. Anyone may call it, any number of times:
   * every call returns the same promise. It resolves after 'close' with the first error that the
   * stream ever had, or null, when the peer has ended its half too, or goes on sending, and is
   * reset then; at the latest after the `closeTimeout` of the session, with `ETIMEDOUT` if bytes
   * were still unsent then. It never rejects.
   */
  override close(): Promise<Error | null> {
    this.#closing ??= this.afterClose();
    this.#close.start();
    return this.#closing;
  }

  /** Resets the stream: both halves end at once, and the peer sees `ECONNRESET`. */
  override resetAndDestroy(): this {
    if (!this.destroyed) {
      this.#resetting = true;
      this.destroy();
    }
    return this;
  }

  /** Reads as any Readable does; what was taken is credited to the peer. */
  override read(size?: number): Buffer | string | null {
    this.#readBuffer.beforeRead(size);
    const chunk = super.read(size) as Buffer | string | null;
    this.#readBuffer.afterRead(size, chunk !== null);
    this.#updateWindow();
    return chunk;
  }

  override _read(): void {
    this.#readBuffer.want();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#send([{ chunk }], chunk.length, callback);
  }

  override _writev(writes: readonly Write[], callback: WriteCallback): void {
    let length = 0;
    for (const { chunk } of writes) length += chunk.length;
    this.#send(writes, length, callback);
  }

  override _final(callback: () => void): void {
    this.#channel.finish(() => {
      if (!this.#channel.finReceived && !this.destroyed) this.#peerTimeout.awaitEnd();
      callback();
    });
  }

  protected override hangUp(error: Error | null, done: () => void): void {
    this.#close.stop();
    this.#peerTimeout.stop();
    this.#readBuffer.abandon();
    if (this.#resetting || error !== null || this.writableLength > 0) this.#channel.reset();
    else this.#channel.abandon();
    process.nextTick(() => {
      this.settleLost(error, (told) => {
        this.#write.settle(told);
      });
    });
    done();
  }

  #onOpen(): void {
    // A transport that was still connecting had none when the stream was made.
    this.adoptAddresses(this.#settings.addresses);
    this.#peerTimeout.onAccept();
    this.reportOpen();
  }

  #onData(piece: Buffer): void {
    this.#bytesRead += piece.length;
    this.markActive();
    this.#peerTimeout.onData();
    this.#readBuffer.add(piece);
    this.#updateWindow();
    if (this.#close.started) this.#close.onProgress();
    if (this.#readBuffer.unread > 0 && this.#settings.budget.exceeded) {
      const happened = `all streams together hold more unread bytes than sessionWindowLimit allows`;
      this.destroy(new WsConnError('ECONNRESET', happened));
    }
  }

  #onFin(): void {
    if (this.#close.started) {
      this.#close.onProgress();
      return;
    }
    this.#peerTimeout.stop();
    this.#readBuffer.end();
  }

  /** Counts what is unread, after bytes came or were read, and opens the window as far. */
  #updateWindow(): void {
    if (this.destroyed) return;
    this.#readBuffer.update();
    // What close() throws away is not to be followed by more.
    if (!this.#close.started)
      this.#channel.consumed(this.#readBuffer.starving ? 0 : this.#readBuffer.unread);
  }

  #send(writes: readonly Write[], length: number, callback: WriteCallback): void {
    this.#write.take(length, callback);
    this.#channel.send(writes, length, (error) => {
      // Then destroy() has said how the stream ended, and what the write is told must not differ.
      if (this.destroyed) return;
      this.markActive();
      this.#write.settle(error ?? null);
    });
  }

  #onSessionEnd(error: Error | null): void {
    const wanted = !this.#channel.finReceived && !this.#close.started;
    if (wanted || (error && !this.#channel.finReceived)) {
      const code = error instanceof WsConnError ? error.code : 'ECONNRESET';
      this.destroy(new WsConnError(code, 'the session of the stream has ended', { cause: error }));
    } else if (this.writableLength > 0) {
      const lost = `${String(this.writableLength)} bytes were unsent when the session ended`;
      this.destroy(new WsConnError('EPIPE', lost, { cause: error }));
    } else if (this.#close.started) {
      this.#close.onProgress();
    } else {
      // All that the peer had to say is here, and may be read to its end; whether what was said to
      // it is lost, the transport shows yet.
      this.reportPeerGone();
    }
  }
}

/** Returns the error for a stream that the peer has reset, taken before or not. */
function resetError({ id, established }: Channel): WsConnError {
  const happened = established
    ? `the peer has reset stream ${String(id)}`
    : `the peer has not taken stream ${String(id)}: it takes no more at a time (maxStreams and acceptBacklog), or not this one`;
  return new WsConnError('ECONNRESET', happened);
}
