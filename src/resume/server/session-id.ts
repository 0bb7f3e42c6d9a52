import { createHash, randomBytes } from 'node:crypto';

import { ID_BYTES } from '../wire/message.ts';

/** Makes an id that nobody can guess. */
export function makeId(): Buffer {
  return randomBytes(ID_BYTES);
}

/** Returns what an id is found by: a hash, so that how long it takes tells nothing of the id. */
export function keyOf(id: Buffer): string {
  return createHash('sha256').update(id).digest('base64');
}
