import type { SocketDuplex } from '../../base/socket-duplex.ts';
import type { WriteCallback } from '../../base/pending-write.ts';
import { WsConnError } from '../../base/errors.ts';
import type { ReceiveBuffer } from '../../base/receive-buffer.ts';
import type { Write } from '../../base/write-run.ts';
import type { Done } from '../../adapter/close-procedure.ts';
import type { Connection, ConnectionEvents } from '../../adapter/connection.ts';
import type { AdapterSettings } from '../../adapter/options.ts';
import { type ClosedWebSocket, frameError } from '../../adapter/link/connection-errors.ts';
import type { RawSocketSettings } from '../../adapter/link/raw-socket-settings.ts';
import type { Transport } from '../../adapter/transport.ts';
import { WriteBatcher } from '../../adapter/write-batcher.ts';
import { isOrderly, NORMAL_CLOSURE, PROTOCOL_ERROR } from '../../websocket/close-codes.ts';
import type { CarrierOwner, WebSocketCarrier } from './carrier.ts';
import { EndProcedure } from './end-procedure.ts';
import { type Budget, HoldBack } from './hold-back.ts';
import { endError, abortError, isResumable, lossError } from './resume-errors.ts';
import type { Role } from './role.ts';
import { Session } from '../session/session.ts';
import { SessionWriter } from './session-writer.ts';
import type { CloseSaid, Progress } from '../wire/message.ts';

/** What the connection reports to its stream. */
export type ResumedConnectionEvents = Pick<ConnectionEvents, 'onActive' | 'onSent' | 'onPeerGone'>;

export interface ResumedConnectionSettings {
  readonly adapter: AdapterSettings;
  /** Bytes that either side keeps without an acknowledgement, or unread. */
  readonly window: number;
  /** What all connections of a server may keep. */
  readonly budget?: Budget | undefined;
}

/**
 * A connection that outlives its WebSocket, for one stream: what the stream does becomes part of
 * the session, and what the session and its WebSockets report becomes what the stream shows.
 */
export class ResumedConnection implements Transport {
  readonly connecting = false;
  readonly session: Session;
  readonly received: ReceiveBuffer;
  readonly end: EndProcedure;
  readonly memory: HoldBack;
  readonly #stream: SocketDuplex;
  readonly #settings: ResumedConnectionSettings;
  readonly #events: ResumedConnectionEvents;
  readonly #role: Role;
  readonly #socket: RawSocketSettings;
  #carrier: WebSocketCarrier | null = null;
  readonly #writer: SessionWriter;
  readonly #batcher: WriteBatcher;

  constructor(
    stream: SocketDuplex,
    settings: ResumedConnectionSettings,
    { received, link }: Pick<Connection, 'received' | 'link'>,
    role: Role,
    events: ResumedConnectionEvents,
  ) {
    this.#stream = stream;
    this.#settings = settings;
    this.#events = events;
    this.#role = role;
    this.#socket = link.socket;
    this.received = received;
    this.session = this.#makeSession();
    this.memory = new HoldBack(settings.budget, stream, this.session, received, (error) => {
      this.fail(error);
    });
    const room = (): number => this.memory.room;
    this.#writer = new SessionWriter(this.session, room, () => {
      events.onActive();
      this.memory.update();
    });
    this.#batcher = new WriteBatcher(stream, this.#writer, settings.adapter.maxMessageSize, true);
    this.end = new EndProcedure(stream, this, role, settings.adapter.closeTimeout);
    received.moveTo(this.memory);
  }

  get ws(): WebSocketCarrier['ws'] | null {
    return this.#carrier?.ws ?? null;
  }

  get ending(): boolean {
    return this.end.begun;
  }

  get referenced(): boolean {
    return this.#socket.referenced;
  }

  get bytesRead(): number {
    return this.session.in.bytes;
  }

  get bytesDone(): number {
    return this.#batcher.bytesDone;
  }

  /** Bytes that were written and that the peer has not received, as far as it has said. */
  get unackedBytes(): number {
    const written = this.#stream.writableLength + this.#batcher.early;
    return this.session.out.unackedBytes + written - this.#writer.taken;
  }

  get maxMessageBytes(): number {
    return this.#settings.adapter.maxPayload;
  }

  get givesMemoryBack(): boolean {
    return true;
  }

  /**
   * Goes on over this WebSocket, whose peer was told `told` of us. What the peer has said of itself
   * is recorded in the session.
   */
  attach(carrier: WebSocketCarrier, told: Progress): void {
    const old = this.#carrier;
    this.#carrier = carrier;
    carrier.passTo(this.#ownerOf(carrier));
    this.memory.attach(carrier.link);
    // What it still brings is known.
    old?.retire(this.#settings.adapter.closeTimeout);
    this.#socket.copyTo(carrier.link.socket);
    carrier.link.setReferenced(this.#socket.referenced);
    if (!this.end.aborting) this.session.attach(carrier, told);
    this.end.onCarrier(carrier);
    this.end.onProgress();
  }

  /** The connection is lost for good. */
  fail(error: WsConnError): void {
    this.end.fail(error);
  }

  /** The server does not take the connection back: an error, unless all was said and heard. */
  refused(error: WsConnError): void {
    this.end.onProgress();
    if (!this.session.complete) this.end.fail(error);
  }

  write(chunk: Buffer, callback: WriteCallback): void {
    if (this.end.over) this.#refuse(chunk.length, callback);
    else this.#batcher.write(chunk, callback);
  }

  writev(writes: readonly Write[], callback: WriteCallback): void {
    if (this.end.over) this.#refuse(this.#stream.writableLength, callback);
    else this.#batcher.writev(writes, callback);
  }

  finish(callback: () => void): void {
    const { over, ownCode = NORMAL_CLOSURE } = this.end;
    // A close() with a code for an error is none of an end: its END alone says that all was sent.
    if (!over && isOrderly(ownCode)) {
      this.session.out.writeFin();
      this.session.pump();
    }
    callback();
  }

  onRead(): void {
    this.session.onRead();
  }

  close(code: number, reason: string): void {
    if (!this.#stream.destroyed) this.received.discard();
    this.memory.readOn();
    this.end.close({ code, reason });
    this.session.onRead();
  }

  destroyAgain(error: Error | null): void {
    this.end.destroyAgain(error);
  }

  reset(): void {
    this.end.reset();
  }

  hangUp(error: Error | null, done: Done): void {
    this.received.clear();
    this.memory.readOn();
    this.end.hangUp(error, (late) => {
      this.memory.close();
      this.session.clear();
      done(late);
    });
  }

  dropWrite(tell: (settle: (error: Error | null) => void) => void): void {
    this.#writer.clear();
    this.#batcher.drop(tell);
  }

  setNoDelay(noDelay: boolean): void {
    this.#socket.setNoDelay(noDelay);
    this.#carrier?.link.socket.setNoDelay(noDelay);
  }

  setKeepAlive(enable: boolean, initialDelay: number): void {
    this.#socket.setKeepAlive(enable, initialDelay);
    this.#carrier?.link.socket.setKeepAlive(enable, initialDelay);
  }

  setReferenced(referenced: boolean): void {
    this.#socket.setReferenced(referenced);
    this.#carrier?.link.setReferenced(referenced);
    this.#role.setReferenced(referenced);
  }

  #makeSession(): Session {
    const { window } = this.#settings;
    const { maxMessageSize } = this.#settings.adapter;
    const settings = { maxMessageSize, highWaterMark: this.#stream.writableHighWaterMark, window };
    // What nobody will read counts as read.
    const unread = (): number => (this.end.begun ? 0 : this.memory.untouched);
    return new Session(settings, unread, {
      onData: (bytes) => {
        this.#events.onActive();
        this.received.add(bytes);
      },
      onFin: () => {
        this.received.end();
        this.end.onProgress();
      },
      onEnd: this.#onEnd,
      onAbort: (close) => {
        this.received.flush();
        this.end.fail(abortError(close));
      },
      onViolation: (problem) => {
        this.received.flush();
        this.end.violated(problem, PROTOCOL_ERROR);
      },
      onRoom: () => {
        this.#writer.append();
      },
      onProgress: () => {
        this.memory.update();
        this.end.onProgress();
      },
      onSent: this.#events.onSent,
    });
  }

  #refuse(length: number, callback: WriteCallback): void {
    const happened = `${String(length)} bytes were written after the peer had closed`;
    callback(new WsConnError('EPIPE', happened));
  }

  readonly #onEnd = (close: CloseSaid): void => {
    const unsent = this.#stream.writableLength + this.session.out.unsentBytes;
    const error = endError(close, unsent, this.end.ownCode);
    this.end.onPeerEnd();
    if (error || this.end.isClosing) {
      this.received.flush();
      this.#stream.destroy(error ?? undefined);
      return;
    }
    this.received.end();
    this.#events.onPeerGone();
  };

  #ownerOf(carrier: WebSocketCarrier): CarrierOwner {
    const isCurrent = (): boolean => this.#carrier === carrier;
    return {
      onMessage: (bytes, isBinary) => {
        if (!isCurrent() || this.end.over) return;
        if (isBinary) this.session.onMessage(bytes);
        else this.end.violated('a text message', 1003);
      },
      onError: (error) => {
        if (!isCurrent()) return;
        this.received.flush();
        // ws has sent the Close that belongs to it.
        this.end.fail(frameError(error));
      },
      onClose: (closed) => {
        if (isCurrent()) this.#onCarrierClosed(closed);
      },
    };
  }

  #onCarrierClosed(closed: ClosedWebSocket): void {
    this.#carrier = null;
    this.session.detach();
    const error = lossError(closed);
    this.memory.detach(error);
    this.end.onCarrierClosed(closed);
    if (this.end.settled) return;
    if (isResumable(closed)) {
      this.#role.onLost(error);
    } else {
      this.received.flush();
      this.end.fail(error);
    }
  }
}
