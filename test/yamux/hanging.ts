import { Duplex, type DuplexOptions } from 'node:stream';

/** A transport that takes bytes and never gets rid of them, and on which nothing ever ends. */
export function hanging(options: DuplexOptions = {}): Duplex {
  return new Duplex({
    read: () => undefined,
    write: () => undefined,
    final: () => undefined,
    ...options,
  });
}
