import type { IncomingHttpHeaders } from 'node:http';
import net from 'node:net';

import type { RawData, WebSocket } from 'ws';

import { WsConnError } from '../base/errors.ts';
import { TRY_AGAIN_LATER } from '../websocket/close-codes.ts';
import type { WriteCallback } from '../base/pending-write.ts';
import { ReceiveBuffer } from '../base/receive-buffer.ts';
import type { SocketDuplex } from '../base/socket-duplex.ts';
import type { Write } from '../base/write-run.ts';
import { CloseProcedure, type Done } from './close-procedure.ts';
import {
  closeError,
  type ClosedWebSocket,
  frameError,
  handshakeError,
  handshakeTimeoutError,
} from './link/connection-errors.ts';
import { HalfClose, type HalfCloseHost } from './half-close.ts';
import type { LinkEvents } from './link/link-events.ts';
import { Link } from './link/link.ts';
import { type MessageEvents, MessageReader } from './message-reader.ts';
import { MessageSender, type MessageSenderEvents } from './message-sender.ts';
import type { AdapterSettings } from './options.ts';
import { checkSocket } from './link/take-websocket.ts';
import type { Transport } from './transport.ts';
import { WriteBatcher } from './write-batcher.ts';

/** What a connection reports to the stream that it is made for. */
export interface ConnectionEvents {
  /** The handshake is done. */
  onOpen(): void;
  /** Payload has moved. */
  onActive(): void;
  /**
   * The server has accepted the handshake, with these headers; before `onOpen`. Somebody else may
   * take the WebSocket over then, with `release()`.
   */
  onUpgrade?(headers: IncomingHttpHeaders): void;
  /** A message came; returns whether somebody else takes it. */
  onMessage?(bytes: Buffer, isBinary: boolean): boolean;
  /** ws was given a message. */
  onSent(): void;
  /** The peer has closed in order: nobody can hear what is written any more. */
  onPeerGone(): void;
}

/**
 * A WebSocket that carries the bytes of one stream: its parts, and what the events of the WebSocket
 * mean for the stream. It is what its parts report to: a function for each of their events would
 * take 56 bytes, and there are fifteen.
 */
export class Connection
  implements Transport, HalfCloseHost, LinkEvents, MessageEvents, MessageSenderEvents
{
  readonly link: Link;
  readonly received: ReceiveBuffer;
  readonly closing: CloseProcedure;
  readonly #stream: SocketDuplex;
  readonly #settings: AdapterSettings;
  readonly #events: ConnectionEvents;
  readonly #halfClose: HalfClose;
  readonly #messages: MessageReader;
  readonly #writes: WriteBatcher;

  constructor(
    stream: SocketDuplex,
    ws: WebSocket,
    settings: AdapterSettings,
    events: ConnectionEvents,
  ) {
    this.#stream = stream;
    this.#settings = settings;
    this.#events = events;
    this.#halfClose = new HalfClose(ws, settings, this);
    this.link = new Link(ws, settings, this);
    this.received = new ReceiveBuffer(stream, this.link);
    this.#messages = new MessageReader(this.#halfClose, this.received, this);
    const sender = new MessageSender(ws, settings, this);
    this.#writes = new WriteBatcher(stream, sender, settings.maxMessageSize, this.link.open);
    this.closing = new CloseProcedure(stream, this.link, this.#halfClose, settings.closeTimeout);
    if (!this.link.raw && settings.handshakeTimeout < Infinity) this.#limitHandshake();
  }

  get connecting(): boolean {
    return this.link.connecting;
  }

  get ending(): boolean {
    return this.closing.begun;
  }

  get referenced(): boolean {
    return this.link.socket.referenced;
  }

  get bytesRead(): number {
    return this.#messages.bytesRead;
  }

  get bytesDone(): number {
    return this.#writes.bytesDone;
  }

  get maxMessageBytes(): number {
    return this.#settings.maxPayload;
  }

  /**
   * Whether ws writes to the kernel: a WebSocket over another Duplex may still hand on what was
   * written, as a PassThrough does.
   */
  get givesMemoryBack(): boolean {
    return this.link.raw instanceof net.Socket;
  }

  write(chunk: Buffer, callback: WriteCallback): void {
    this.#writes.write(chunk, callback);
  }

  writev(writes: readonly Write[], callback: WriteCallback): void {
    this.#writes.writev(writes, callback);
  }

  finish(callback: () => void): void {
    this.#writes.whenOpen(() => {
      this.closing.endWriting(callback);
    });
  }

  onRead(): void {
    // What is read lets the WebSocket go on by itself.
  }

  close(code: number, reason: string): void {
    if (this.#stream.destroyed) {
      this.closing.close(code, reason);
    } else if (this.link.closed || !this.link.raw) {
      this.#stream.destroy();
    } else {
      this.received.discard();
      this.closing.close(code, reason);
    }
  }

  destroyAgain(error: Error | null): void {
    this.closing.destroyAgain(error);
  }

  reset(): void {
    this.closing.reset();
  }

  /** Leaves the WebSocket to somebody else: nothing of this is left on it. */
  release(): void {
    this.link.release();
    this.#halfClose.release();
  }

  hangUp(error: Error | null, done: Done): void {
    this.received.clear();
    this.closing.hangUp(error, done);
  }

  dropWrite(tell: (settle: (error: Error | null) => void) => void): void {
    this.#writes.drop(tell);
  }

  setNoDelay(noDelay: boolean): void {
    this.link.socket.setNoDelay(noDelay);
  }

  setKeepAlive(enable: boolean, initialDelay: number): void {
    this.link.socket.setKeepAlive(enable, initialDelay);
  }

  setReferenced(referenced: boolean): void {
    this.link.setReferenced(referenced);
  }

  onUpgrade(headers: IncomingHttpHeaders): void {
    this.#halfClose.onUpgrade(headers);
    this.#events.onUpgrade?.(headers);
  }

  onRefusal(error: WsConnError): void {
    this.#stream.destroy(error);
  }

  onPong(payload: Buffer): void {
    this.#halfClose.onPong(payload);
  }

  onSignSettled(): void {
    this.link.ignorePongs();
  }

  onData(): void {
    this.#events.onActive();
  }

  onFin(): void {
    this.closing.closeIfBothEnded();
  }

  onViolation(code: number, reason: string): void {
    this.received.flush();
    this.closing.fail(new WsConnError('EPROTO', reason), { code, reason });
  }

  onMessageSent(): void {
    this.#events.onSent();
  }

  onProgress(): void {
    this.#events.onActive();
  }

  onOpen(): void {
    try {
      checkSocket(this.link.ws);
    } catch (error) {
      this.#stream.destroy(error as Error);
      return;
    }
    this.#halfClose.confirm();
    try {
      this.#events.onOpen();
    } finally {
      // Also where a listener throws: what was written before waits for this.
      this.#writes.open();
    }
  }

  onMessage(data: RawData, isBinary: boolean): void {
    // takeWebSocket() has set binaryType to 'nodebuffer', so this is what ws gives.
    const bytes = data as Buffer;
    if (this.#events.onMessage?.(bytes, isBinary)) return;
    if (!this.closing.begun && !this.#stream.destroyed) this.#messages.take(bytes, isBinary);
  }

  onTooMuch(bytes: number): void {
    this.received.flush();
    const reason = 'too many unfinished messages';
    this.link.sendClose(TRY_AGAIN_LATER, reason);
    const happened = `the peer had sent ${String(bytes)} bytes of a message without its end, the most of all connections, and together they are over maxUnfinishedBytes`;
    this.#stream.destroy(new WsConnError('EMSGSIZE', happened));
    // Only this gives back what ws holds of the message.
    this.link.terminate();
  }

  onError(error: Error): void {
    this.received.flush();
    // After the handshake it is about a frame, and ws has sent the Close that belongs to it.
    if (this.link.raw) this.closing.fail(frameError(error));
    else this.#stream.destroy(handshakeError(error, this.link.ws.url));
  }

  onClose(closed: ClosedWebSocket): void {
    if (this.#stream.destroyed) {
      this.closing.onWebSocketClosed();
      return;
    }
    const error = closeError(closed, {
      unsent: this.#stream.writableLength,
      // Who closes halves sends a FIN or Close, and the kernel may show a reset as an end behind
      // bytes that were not read yet.
      tcpEndIsEof: this.#settings.tcpEndIsEof && !this.#halfClose.agreed,
    });
    if (error || this.closing.isClosing) {
      this.received.flush();
      this.#stream.destroy(error ?? undefined);
      return;
    }
    this.#halfClose.onPeerGone();
    this.received.end();
    this.#events.onPeerGone();
  }

  #limitHandshake(): void {
    const { handshakeTimeout } = this.#settings;
    this.link.limit(handshakeTimeout, () => {
      this.#stream.destroy(handshakeTimeoutError(this.link.ws.url, handshakeTimeout));
    });
  }
}
