import { createCipheriv, createHash } from 'node:crypto';

/** Returns `length` bytes that look random and are the same for the same seed on every run. */
export function bytesOf(seed: number, length: number): Buffer {
  const key = createHash('sha256').update(String(seed)).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Returns the SHA-256 of some bytes, or of a list of them taken together, in hex. */
export function sha256(bytes: Uint8Array | readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) hash.update(part);
  return hash.digest('hex');
}

/** Cuts bytes into pieces of 1 to `most` bytes; the same seed gives the same borders. */
export function* cutAtRandom(
  bytes: Buffer,
  seed: number,
  most: number,
): Generator<Buffer, void, void> {
  const borders = bytesOf(seed, 4_096);
  let at = 0;
  for (let i = 0; at < bytes.length; i = (i + 2) % borders.length) {
    const length = 1 + (borders.readUInt16LE(i) % most);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
