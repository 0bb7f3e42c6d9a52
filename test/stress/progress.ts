/** Shows on a terminal how far a part has come; elsewhere, nothing. */
const WIDTH = 30;

export class Progress {
  readonly #name: string;
  readonly #seconds: number;
  readonly #out: NodeJS.WriteStream;

  constructor(name: string, seconds: number, out: NodeJS.WriteStream = process.stderr) {
    this.#name = name;
    this.#seconds = seconds;
    this.#out = out;
  }

  /** @param share - what is done, from 0 to 1 */
  show(share: number): void {
    if (!this.#out.isTTY) return;
    const filled = Math.round(Math.min(1, share) * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    this.#out.write(`\r  ${this.#name.padEnd(10)} ${bar} of ${this.#seconds.toFixed(0)} s`);
  }

  clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[K');
  }
}
