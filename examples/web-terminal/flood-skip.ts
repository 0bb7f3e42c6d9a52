/** Characters of the end that are shown: the last lines, and the prompt. */
const TAIL = 512;
/** Silence in ms that ends a flood. */
const QUIET = 50;
/** Time in ms after which it is shown all the same: the program has not obeyed. */
const PATIENCE = 1_000;

/** Ends a control sequence that the flood was cut in, and its colours. */
const RECOVER = '\x18\x1b[0m';

/**
 * Throws a flood of output away after Ctrl-C, up to its last lines, and says so. Megabytes lie
 * between the program that has been ended and the page by then (ssh2 asks for 2 MB ahead), and on a
 * slow link the prompt would come half a minute after the key. Terminals do the same: Ctrl-C empties
 * their queue of output.
 */
export class FloodSkip {
  readonly #onEnd: (text: string) => void;
  readonly #giveUpAt = performance.now() + PATIENCE;
  #length = 0;
  #tail = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param onEnd - gets what is to be shown in place of the flood */
  constructor(onEnd: (text: string) => void) {
    this.#onEnd = onEnd;
    this.#wait();
  }

  take(data: string): void {
    this.#length += data.length;
    this.#tail = (this.#tail + data).slice(-TAIL);
    if (performance.now() < this.#giveUpAt) this.#wait();
    else this.end();
  }

  /** Ends the skipping; the first call decides. */
  end(): void {
    clearTimeout(this.#timer);
    const isCut = this.#length > this.#tail.length;
    const text = isCut ? this.#tail.slice(this.#tail.indexOf('\n') + 1) : this.#tail;
    const skipped = String(Math.ceil((this.#length - text.length) / 1_024));
    const line = `\r\n\x1b[33m── Ctrl-C: ${skipped} KiB of output skipped ──\x1b[0m\r\n`;
    this.#onEnd(isCut ? RECOVER + line + text : text);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.end();
    }, QUIET);
  }
}
