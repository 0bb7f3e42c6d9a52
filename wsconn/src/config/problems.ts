import { LineCounter } from 'yaml';

import { EXIT_USAGE, Failures } from '../console/failure.ts';

/** Gathers what is wrong with a configuration file, each with its line and column. */
export class Problems {
  readonly lines = new LineCounter();
  readonly #path: string;
  readonly #found: { readonly offset: number; readonly text: string }[] = [];
  /** Lines that are no YAML: what else seems wrong with them follows from that. */
  readonly #broken = new Set<number>();

  constructor(path: string) {
    this.#path = path;
  }

  /** Adds one of the syntax, at an offset into the text. */
  addSyntax(offset: number, text: string): void {
    if (this.#found.some((one) => one.offset === offset)) return;
    this.#found.push({ offset, text });
    this.#broken.add(this.lines.linePos(offset).line);
  }

  /** Adds one of what the YAML says. */
  add(offset: number, text: string): void {
    if (this.#broken.has(this.lines.linePos(offset).line)) return;
    this.#found.push({ offset, text });
  }

  /** Returns FILE:LINE:COLUMN of an offset; both count from 1. */
  placeOf(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return [this.#path, Math.max(1, line), Math.max(1, col)].join(':');
  }

  /** Throws all of them, in the order of the file; nothing where there are none. */
  throwAny(): void {
    if (this.#found.length === 0) return;
    const inOrder = [...this.#found].sort((a, b) => a.offset - b.offset);
    const lines = inOrder.map(({ offset, text }) => `${this.placeOf(offset)}: ${text}`);
    // What an anchor stands for may be wrong wherever it is used.
    throw new Failures([...new Set(lines)], { exitCode: EXIT_USAGE });
  }
}
