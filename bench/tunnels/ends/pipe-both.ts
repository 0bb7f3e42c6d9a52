import type { Duplex } from 'node:stream';

/** Pipes both ways, and ends both when one fails. */
export function pipeBoth(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  a.on('error', () => b.destroy());
  b.on('error', () => a.destroy());
}
