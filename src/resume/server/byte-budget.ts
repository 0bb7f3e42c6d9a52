import type { Budget, Share, ShareOwner } from '../socket/hold-back.ts';

/** Share of the limit below which connections are held back no longer, once they were. */
const ENOUGH_ROOM = 7 / 8;
/**
 * Share of the limit up to which connections may read on whose peers owe acknowledgements. They
 * come behind the data, and without them neither direction would ever go on.
 */
const MOST = 5 / 4;

/**
 * Counts the bytes that all connections of a server keep, unacknowledged or unread, and says when
 * they are too many. Each connection reports its own; nothing here looks at all of them for it.
 */
export class ByteBudget implements Budget {
  readonly #limit: number;
  #total = 0;
  #over = false;
  #failing = false;
  /** Those without a WebSocket that keep any bytes, the longest first. */
  readonly #held = new Set<ByteShare>();
  /** Those that go on when there is room again. */
  readonly #heldBack = new Set<ByteShare>();
  /** Those that read on, though they would be held back: the longest without acknowledgement first. */
  readonly #owed = new Set<ByteShare>();

  constructor(limit: number) {
    this.#limit = limit;
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

  /** @internal */
  setOwed(share: ByteShare, owed: boolean): void {
    if (owed) this.#owed.add(share);
    else this.#owed.delete(share);
  }

  /** @internal */
  forget(share: ByteShare): void {
    for (const shares of [this.#held, this.#heldBack, this.#owed]) shares.delete(share);
  }

  #makeRoom(): void {
    for (const share of this.#held) {
      if (this.#total <= this.#limit) return;
      this.#giveUp(
        share,
        `this one had been without a WebSocket for longest of those that kept bytes`,
      );
    }
    if (this.#total <= this.#limit) return;
    this.#over = true;
    if (this.#total > this.#limit * MOST) this.#failLater();
  }

  /** On a tick of its own: the one that fails may be the one that reports. */
  #failLater(): void {
    if (this.#failing) return;
    this.#failing = true;
    process.nextTick(() => {
      this.#failing = false;
      for (const share of this.#owed) {
        if (this.#total <= this.#limit * MOST) return;
        this.#giveUp(share, `the peer of this one had acknowledged nothing for longest`);
      }
    });
  }

  #giveUp(share: ByteShare, chosen: string): void {
    const kept = `all connections together keep ${String(this.#total)} bytes, over maxBytes`;
    share.owner.giveUp(`${kept}, and ${chosen}`);
    share.close();
  }

  #goOn(): void {
    this.#over = false;
    const shares = [...this.#heldBack];
    this.#heldBack.clear();
    this.#owed.clear();
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

  /**
   * Whether the connection reads on although it keeps too much, since its peer owes
   * acknowledgements.
   */
  setOwed(owed: boolean): void {
    if (!this.#closed) this.#budget.setOwed(this, owed);
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
