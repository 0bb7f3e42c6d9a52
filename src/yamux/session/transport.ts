import type { Duplex } from 'node:stream';

import { invalidArgType, invalidState } from '../../base/errors.ts';

/** Transports that have their session: two on one would each get half of the frames. */
const taken = new WeakSet<Duplex>();

/**
 * Takes a transport for a session.
 * @throws `ERR_INVALID_ARG_TYPE` for what is no Duplex, `ERR_INVALID_STATE` for one that has a
 * session, is closing, or gives strings
 */
export function takeTransport(transport: Partial<Duplex> | null | undefined): void {
  if (typeof transport?.write !== 'function' || typeof transport.read !== 'function') {
    throw invalidArgType('duplex', 'a Duplex', transport);
  }
  if (taken.has(transport as Duplex)) throw invalidState('this stream has a session already');
  if (!transport.readable || !transport.writable)
    throw invalidState('this stream is closing or closed');
  if (transport.readableEncoding) {
    throw invalidState('this stream gives strings, after setEncoding(), and not bytes');
  }
  taken.add(transport as Duplex);
}
