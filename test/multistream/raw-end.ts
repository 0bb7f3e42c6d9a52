import type { Duplex } from 'node:stream';

import { Wire } from '../stress/fuzz/targets/wire.ts';

/** Formats a line by hand, as the specification has it; texts of up to 126 bytes. */
export function line(text: string): string {
  return `${String.fromCharCode(Buffer.byteLength(text) + 1)}${text}\n`;
}

export const HEADER = line('/multistream/1.0.0');

/** A stream whose other end is the test, which sees what was written to it. */
export class RawEnd extends Wire {
  readonly #chunks: Buffer[];

  constructor() {
    const chunks: Buffer[] = [];
    super((chunk) => chunks.push(Buffer.from(chunk)));
    this.#chunks = chunks;
  }

  /** All that was written so far. */
  get wrote(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  /** How many writes there were. */
  get writes(): number {
    return this.#chunks.length;
  }

  /** The other end sends all of it, in chunks of so many bytes. */
  say(text: string, chunkSize = text.length): void {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; at += chunkSize) {
      this.bring(bytes.subarray(at, at + chunkSize));
    }
  }
}

/** How many listeners a stream has, by event. */
export function listenersOf(stream: Duplex): Record<string, number> {
  return Object.fromEntries(
    stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]),
  );
}
