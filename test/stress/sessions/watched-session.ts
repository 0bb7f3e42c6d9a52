/** One side of a session under test: its user, who writes and reads, and what must hold of it. */
import { runOf } from '../../support/run-of.ts';
import { Session } from '../../../src/resume/session/session.ts';
import type { CloseSaid } from '../../../src/resume/wire/message.ts';
import { belongsAt, bytesAt } from '../pattern.ts';
import { type Role } from './line.ts';

/** Bytes that one append has at most. */
const MOST_AT_ONCE = 70_000;

/** A promise that was broken. */
export class Broken extends Error {}

export interface EndSettings {
  readonly maxMessageSize: number;
  readonly highWaterMark: number;
  readonly window: number;
}

export class WatchedSession {
  readonly role: Role;
  readonly session: Session;
  /** Whether what comes is read at once. */
  reading = true;
  /** Bytes that the user has still to write, and has written. */
  wanted = 0;
  written = 0;
  /** Bytes that came, and that nobody has read. */
  received = 0;
  unread = 0;
  finWanted = false;
  endWanted: CloseSaid | null = null;
  /** Whether this side has broken off, and whether it was told that the other has. */
  aborting = false;
  aborted = false;
  readonly #settings: EndSettings;
  readonly #peerWindow: number;
  #peer: WatchedSession | null = null;
  #sawFin = false;
  #sawEnd = false;
  #flushing = false;

  constructor(role: Role, settings: EndSettings, peerWindow: number) {
    this.role = role;
    this.#settings = settings;
    this.#peerWindow = peerWindow;
    this.session = new Session(settings, () => (this.#discards ? 0 : this.unread), {
      onData: (bytes) => {
        this.#onData(bytes);
      },
      onFin: () => {
        this.#onFin();
      },
      onEnd: (close) => {
        this.#onEnd(close);
      },
      onAbort: () => {
        this.aborted = true;
        this.session.detach();
      },
      onViolation: (problem) => {
        throw this.broken(`it reports a violation: ${problem}`);
      },
      onRoom: () => {
        this.append();
      },
      onProgress: () => undefined,
      onSent: () => undefined,
    });
    this.session.out.peerWindow = peerWindow;
  }

  set peer(peer: WatchedSession) {
    this.#peer = peer;
  }

  /** Whether nothing can be said or heard any more. */
  get over(): boolean {
    return this.aborting || this.aborted || this.session.in.end !== null;
  }

  broken(what: string): Broken {
    return new Broken(`${this.role}: ${what}`);
  }

  /**
   * Has the session take what the user wants to say, as far as there is room; like the stream, it
   * asks for no sending where it has said nothing new.
   */
  append(): void {
    const { session } = this;
    if (this.over) return;
    const before = session.out.written;
    while (this.wanted > 0 && session.room > 0) {
      const size = Math.min(this.wanted, session.room, MOST_AT_ONCE);
      session.out.append(runOf(bytesAt(this.written, size)), size);
      this.written += size;
      this.wanted -= size;
    }
    if (this.wanted === 0) {
      if (this.finWanted && !session.out.finWritten && !session.out.ending) session.out.writeFin();
      if (this.endWanted) session.out.writeEnd(this.endWanted);
    }
    if (session.out.written === before && this.wanted === 0) return;
    if (session.out.unsentBytes >= this.#settings.maxMessageSize) session.pump();
    else this.#flushLater();
  }

  read(bytes: number): void {
    const taken = Math.min(bytes, this.unread);
    if (taken === 0) return;
    this.unread -= taken;
    this.session.onRead();
  }

  /** Throws where a number is not what it must be, whatever happens. */
  check(): void {
    const { out } = this.session;
    const { window } = this.#settings;
    if (out.unackedBytes > window) throw this.broken(`it keeps ${String(out.unackedBytes)} bytes`);
    if (out.room > window) throw this.broken(`there is room for ${String(out.room)} bytes`);
    if (!this.#discards && this.unread > window) {
      throw this.broken(`${String(this.unread)} bytes wait to be read`);
    }
    if (out.acked > out.sent || out.sent > out.written) throw this.broken('its numbers are wrong');
    const unreadThere = this.#peer?.unread ?? 0;
    if (unreadThere > this.#peerWindow) throw this.broken('it has sent beyond the window');
  }

  /** Throws where not all has come that must have come in the end. */
  judge(): void {
    const peer = this.#peer;
    if (!peer) return;
    if (this.received > peer.written) throw this.broken('it has more than was written');
    const inOrder = !this.over && !peer.over;
    if (inOrder && !this.#sawFin) throw this.broken('no FIN came');
    if (inOrder && this.received !== peer.written + peer.wanted) {
      const [got, all] = [String(this.received), String(peer.written + peer.wanted)];
      throw this.broken(`${got} of ${all} bytes came`);
    }
  }

  /** Whether what still comes is nobody's. */
  get #discards(): boolean {
    return this.endWanted !== null || this.over;
  }

  #onData(bytes: Buffer): void {
    if (this.#sawFin || this.#sawEnd) throw this.broken('bytes came behind the end');
    if (!belongsAt(this.received, bytes)) {
      const [from, to] = [this.received, this.received + bytes.length];
      throw this.broken(`bytes ${String(from)} to ${String(to)} are not what was written`);
    }
    this.received += bytes.length;
    if (this.#discards || this.reading) return;
    this.unread += bytes.length;
  }

  #onFin(): void {
    if (this.#sawFin || this.#sawEnd) throw this.broken('FIN came behind the end');
    this.#sawFin = true;
    const peer = this.#peer;
    if (!peer?.session.out.finWritten || this.received !== peer.written) {
      throw this.broken('FIN came, and not in its place');
    }
  }

  #onEnd(close: CloseSaid): void {
    if (this.#sawEnd) throw this.broken('END came twice');
    this.#sawEnd = true;
    const peer = this.#peer;
    const said = peer?.endWanted;
    if (said?.code !== close.code || said.reason !== close.reason) {
      throw this.broken('END came that was not said');
    }
    if (this.received !== peer?.written) throw this.broken('END came, and not in its place');
    if (this.#sawFin !== peer.session.out.finWritten) throw this.broken('END came without FIN');
  }

  /** What one turn of the event loop writes goes together. */
  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.session.pump();
    });
  }
}
