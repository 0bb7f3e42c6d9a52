import { createHash, randomBytes } from 'node:crypto';

import { ID_BYTES } from '../wire/message.ts';

/**
 * Makes an id that nobody can guess.
 * @param firstByte - by which it can be told who has made it
 */
export function makeId(firstByte?: number): Buffer {
  const id = randomBytes(ID_BYTES);
  if (firstByte !== undefined) id[0] = firstByte;
  return id;
}

/** Returns what an id is found by: a hash, so that how long it takes tells nothing of the id. */
export function keyOf(id: Buffer): string {
  return createHash('sha256').update(id).digest('base64');
}
