import { EventEmitter } from 'node:events';

/** What waits in the send queue, and what to do when it has left and when it has arrived. */
interface Parcel {
  bytes: number;
  readonly whenSent: (() => void) | undefined;
  readonly whenArrived: (() => void) | undefined;
}

/** The socket below a simulated WebSocket: bytes leave at a rate, and arrive when they leave. */
class SimulatedSocket extends EventEmitter {
  readonly #queue: Parcel[] = [];
  /** Bytes per ms; infinite for a queue that is always empty, 0 for one that stands still. */
  rate = Infinity;
  bytesWritten = 0;
  writableLength = 0;
  paused = false;
  kernelAsks = false;

  pause(): void {
    this.paused = true;
    this.emit('pause');
  }

  isPaused(): boolean {
    return this.paused;
  }

  setKeepAlive(): void {
    this.kernelAsks = true;
  }

  write(bytes: number, whenSent?: () => void, whenArrived?: () => void): void {
    this.bytesWritten += bytes;
    this.writableLength += bytes;
    this.#queue.push({ bytes, whenSent, whenArrived });
    if (this.rate === Infinity) this.drain(0);
  }

  /** Lets leave what can leave in a time in ms. */
  drain(ms: number): void {
    let room = this.rate === Infinity ? Infinity : this.rate * ms;
    for (let first = this.#queue[0]; first && room > 0; first = this.#queue[0]) {
      const some = Math.min(room, first.bytes);
      first.bytes -= some;
      room -= some;
      this.writableLength -= some;
      if (first.bytes > 0) return;
      this.#queue.shift();
      first.whenSent?.();
      first.whenArrived?.();
    }
  }
}

/** Bytes of a control frame. */
const CONTROL = 14;

/** As much of a WebSocket as a keepalive has to do with, and no wire. */
export class SimulatedWebSocket extends EventEmitter {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly socket = new SimulatedSocket();
  /** Where src/websocket/raw-socket.ts looks for it. */
  readonly _socket = this.socket;
  /** Called when a ping has arrived. */
  readonly #onPing: (payload: Buffer) => void;
  readyState: number = this.CONNECTING;
  /** When each ping was placed that was not answered, by its payload. */
  readonly unanswered = new Map<string, number>();
  pings = 0;
  signsOfLife = 0;
  terminated = false;

  constructor(onPing: (payload: Buffer) => void) {
    super();
    this.#onPing = onPing;
  }

  open(): void {
    this.readyState = this.OPEN;
    this.emit('open');
  }

  ping(payload: Buffer, _mask: unknown, whenSent: () => void): void {
    this.pings++;
    this.unanswered.set(payload.toString('hex'), performance.now());
    this.socket.write(CONTROL, whenSent, () => {
      this.#onPing(payload);
    });
  }

  pong(): void {
    this.signsOfLife++;
  }

  terminate(): void {
    this.terminated = true;
  }

  /** The peer sends bytes that mean nothing to the keepalive. */
  receive(bytes: number): void {
    if (!this.socket.paused) this.socket.emit('data', Buffer.alloc(bytes));
  }

  /** The peer answers a ping. */
  answer(payload: Buffer): void {
    if (this.socket.paused) return;
    this.receive(CONTROL);
    this.emit('pong', payload);
    const answered = payload.toString('hex');
    // An answer answers what was asked before it, too.
    for (const asked of this.unanswered.keys()) {
      this.unanswered.delete(asked);
      if (asked === answered) break;
    }
  }
}
