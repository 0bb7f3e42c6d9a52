/** What lies between two sessions: one handshake and its messages, which may be lost from any place on. */
import type { Carrier } from '../../../src/resume/session/session-host.ts';

/** What goes over a line: the handshake as its headers have it, then messages, then a Close. */
export type Item =
  | { readonly kind: 'request' | 'accept' | 'refusal'; readonly header: string }
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'close' };

interface Waiting {
  readonly item: Item;
  readonly whenTaken: (() => void) | undefined;
}

/** One direction: what waits at its sender, and what is under way. */
export class Lane implements Carrier {
  #waiting: Waiting[] = [];
  #flight: Item[] = [];
  #queued = 0;
  /** Whether nothing that is sent from now on goes anywhere. */
  #closed = false;

  get queued(): number {
    return this.#queued;
  }

  /** Messages that wait at the sender. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Items that are under way. */
  get inFlight(): number {
    return this.#flight.length;
  }

  send(bytes: Buffer, whenTaken?: () => void): void {
    this.put({ kind: 'message', bytes }, whenTaken);
  }

  /** Sends Close, after which this side sends no more. */
  close(): void {
    this.put({ kind: 'close' });
    this.#closed = true;
  }

  put(item: Item, whenTaken?: () => void): void {
    if (this.#closed) return;
    this.#waiting.push({ item, whenTaken });
    if (item.kind === 'message') this.#queued += item.bytes.length;
  }

  /** The kernel takes the next item; whoever sent it is told, and may send more. */
  take(): void {
    const next = this.#waiting.shift();
    if (!next) return;
    if (next.item.kind === 'message') this.#queued -= next.item.bytes.length;
    this.#flight.push(next.item);
    next.whenTaken?.();
  }

  /** Returns what arrives next. */
  arrive(): Item | undefined {
    return this.#flight.shift();
  }

  /** Loses what waits, what comes, and what is under way but for the first `kept` items. */
  cut(kept: number): void {
    this.#waiting = [];
    this.#queued = 0;
    this.#flight = this.#flight.slice(0, kept);
    this.#closed = true;
  }
}

export type Role = 'client' | 'server';

/** One WebSocket between the two. */
export class Line {
  readonly number: number;
  /** What the client sends, and what the server sends. */
  readonly from: Readonly<Record<Role, Lane>> = { client: new Lane(), server: new Lane() };
  /** Whether the line is cut, and whoever has not noticed will. */
  cutOff = false;
  /** Who has seen its end. */
  readonly gone: Record<Role, boolean> = { client: false, server: false };
  /** Number that the client asked to go on from. */
  asked = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** Lane that brings to that side. */
  to(role: Role): Lane {
    return this.from[role === 'client' ? 'server' : 'client'];
  }
}
