import type { Budget, Share, ShareOwner } from '../socket/hold-back.ts';

/** Share of the limit below which connections are held back no longer, once they were. */
const ENOUGH_ROOM = 7 / 8;
/** Share of the limit that those may go over it by who read on in turn. */
const FOR_TURNS = 1 / 4;
/** Time in ms that a turn lasts at most. */
const TURN = 5_000;

/**
 * Counts the bytes that all connections of a server keep, unacknowledged or unread, and says when
 * they are too many. Each connection reports its own; nothing here looks at all of them for it.
 */
export class ByteBudget implements Budget {
  readonly #limit: number;
  #total = 0;
  #over = false;
  /** Those without a WebSocket that keep any bytes, the longest first. */
  readonly #held = new Set<ByteShare>();
  /** Those that go on when there is room again. */
  readonly #heldBack = new Set<ByteShare>();
  /** Those that read on though they keep too much, and what ends their turn. */
  readonly #turns = new Map<ByteShare, NodeJS.Timeout>();
  /** Those that wait for such a turn. */
  readonly #queue = new Set<ByteShare>();
  readonly #mostTurns: number;
  readonly #turn: number;

  /**
   * @param limit - bytes that all may keep
   * @param window - bytes that one may have unread
   * @param turn - time in ms that a turn lasts at most
   */
  constructor(limit: number, window: number, turn = TURN) {
    this.#limit = limit;
    this.#mostTurns = Math.max(1, Math.floor((limit * FOR_TURNS) / window));
    this.#turn = turn;
  }

  /** Bytes that are kept by all. */
  get total(): number {
    return this.#total;
  }

  /** Whether connections are to be held back. */
  get over(): boolean {
    return this.#over;
  }

  /** Opens the share of a connection. */
  open(owner: ShareOwner): ByteShare {
    return new ByteShare(this, owner);
  }

  /** @internal */
  onChange(share: ByteShare, difference: number): void {
    this.#total += difference;
    if (share.bytes === 0) this.#held.delete(share);
    if (difference > 0 && this.#total > this.#limit) this.#makeRoom();
    else if (this.#over && this.#total <= this.#limit * ENOUGH_ROOM) this.#goOn();
  }

  /** @internal */
  onHeld(share: ByteShare): void {
    if (share.bytes === 0) return;
    this.#held.add(share);
    if (this.#total > this.#limit) this.#makeRoom();
  }

  /** @internal */
  onReleased(share: ByteShare): void {
    this.#held.delete(share);
  }

  /** @internal */
  holdBack(share: ByteShare): void {
    this.#heldBack.add(share);
  }

  /** Whether it is that one's turn to read on. @internal */
  hasTurn(share: ByteShare): boolean {
    return this.#turns.has(share);
  }

  /** @internal */
  askForTurn(share: ByteShare): void {
    if (this.#turns.has(share)) return;
    this.#queue.add(share);
    this.#giveTurns();
  }

  /** @internal */
  endTurn(share: ByteShare): void {
    this.#queue.delete(share);
    const timer = this.#turns.get(share);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#turns.delete(share);
    this.#giveTurns();
  }

  /** @internal */
  forget(share: ByteShare): void {
    this.#held.delete(share);
    this.#heldBack.delete(share);
    this.endTurn(share);
  }

  #giveTurns(): void {
    for (const share of this.#queue) {
      if (this.#turns.size >= this.#mostTurns) return;
      this.#queue.delete(share);
      const timer = setTimeout(() => {
        share.owner.cut();
      }, this.#turn).unref();
      this.#turns.set(share, timer);
      share.owner.relieve();
    }
  }

  #makeRoom(): void {
    for (const share of this.#held) {
      if (this.#total <= this.#limit) return;
      const kept = `all connections together keep ${String(this.#total)} bytes, over maxBytes`;
      share.owner.giveUp(`${kept}, and of those without a WebSocket this one was so for longest`);
      share.close();
    }
    if (this.#total > this.#limit) this.#over = true;
  }

  #goOn(): void {
    this.#over = false;
    const shares = [...this.#heldBack];
    this.#heldBack.clear();
    for (const { owner } of shares) owner.relieve();
  }
}

/** What one connection has of the budget. */
export class ByteShare implements Share {
  readonly owner: ShareOwner;
  readonly #budget: ByteBudget;
  #bytes = 0;
  #closed = false;

  /** @internal */
  constructor(budget: ByteBudget, owner: ShareOwner) {
    this.#budget = budget;
    this.owner = owner;
  }

  /** Bytes that the connection keeps. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the connection is to keep no more than it must. */
  get over(): boolean {
    return this.#budget.over;
  }

  /** The connection keeps so many bytes now. */
  update(bytes: number): void {
    const difference = bytes - this.#bytes;
    if (difference === 0 || this.#closed) return;
    this.#bytes = bytes;
    this.#budget.onChange(this, difference);
  }

  /** The connection waits until there is room: its owner is told. */
  wait(): void {
    if (!this.#closed) this.#budget.holdBack(this);
  }

  /** Whether it may read on now, which it has asked for. */
  get hasTurn(): boolean {
    return this.#budget.hasTurn(this);
  }

  /** Asks to read on although it keeps too much; its owner is told when it may. */
  askForTurn(): void {
    if (!this.#closed) this.#budget.askForTurn(this);
  }

  /** Asks no longer, or has read on. */
  endTurn(): void {
    this.#budget.endTurn(this);
  }

  /** The connection has no WebSocket. */
  hold(): void {
    if (!this.#closed) this.#budget.onHeld(this);
  }

  /** The connection has a WebSocket again. */
  release(): void {
    this.#budget.onReleased(this);
  }

  /** The connection is over, and keeps nothing. */
  close(): void {
    this.update(0);
    this.#closed = true;
    this.#budget.forget(this);
  }
}
