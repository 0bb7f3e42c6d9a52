/**
 * Keeps what was sent until the other end has confirmed it, so that it can be sent again after a
 * cut. Its length says how far the other end is behind: the sender stops where that is too much.
 */
export class Outbox {
  #pieces: string[] = [];
  #start = 0;
  #end = 0;

  /** How much is not confirmed. */
  get length(): number {
    return this.#end - this.#start;
  }

  push(data: string): void {
    this.#pieces.push(data);
    this.#end += data.length;
  }

  /**
   * Drops what lies before a position. One that was confirmed before changes nothing.
   * @throws RangeError for a position that was never sent
   */
  confirm(position: number): void {
    if (position > this.#end) throw new RangeError('confirms what was never sent');
    for (;;) {
      const [first] = this.#pieces;
      if (first === undefined || this.#start + first.length > position) return;
      this.#pieces.shift();
      this.#start += first.length;
    }
  }

  /** Confirms what lies before a position, and returns the rest, to be sent again. */
  from(position: number): readonly string[] {
    this.confirm(position);
    const [first, ...rest] = this.#pieces;
    if (first === undefined) return [];
    return [first.slice(Math.max(0, position - this.#start)), ...rest];
  }
}
