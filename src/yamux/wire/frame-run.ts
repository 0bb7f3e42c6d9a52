/** Called once, with null when the transport has taken a run, or with why it never will. */
export type WhenSettled = (lost: Error | null) => void;

/**
 * Stands for a run of frames that leaves in one write, and reports what became of it. The bytes of a stream may be lost
 * until the transport has taken the run that they are in.
 */
export class FrameRun {
  #outcome: 'under way' | { readonly lost: Error | null } = 'under way';
  #waiting: WhenSettled[] = [];

  /** Calls back when the run was taken or lost, at once if that is known already. */
  whenSettled(callback: WhenSettled): void {
    if (this.#outcome === 'under way') this.#waiting.push(callback);
    else callback(this.#outcome.lost);
  }

  /** Calls back who waits; once. */
  settle(lost: Error | null): void {
    this.#outcome = { lost };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(lost);
  }
}
