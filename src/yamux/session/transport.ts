import type { Duplex } from 'node:stream';

import { invalidArgType, invalidState } from '../../base/errors.ts';
import { ignore } from './session-outcome.ts';

/** What a session hears of its transport. */
export interface TransportEvents {
  readonly onData: (chunk: Buffer) => void;
  readonly onDrain: () => void;
  readonly onEnd: () => void;
  readonly onError: (error: Error) => void;
  readonly onClose: () => void;
}

/** Transports that have their session: two on one would each get half of the frames. */
const taken = new WeakSet<Duplex>();

/** Holds the Duplex that a session runs over, and is the only user of. */
export class Transport {
  readonly duplex: Duplex;
  readonly #events: TransportEvents;

  /**
   * Takes the Duplex for a session, which hears of it from `listen()` on.
   * @throws `ERR_INVALID_ARG_TYPE` for what is no Duplex, `ERR_INVALID_STATE` for one that has a
   * session, is closing, or gives strings
   */
  constructor(duplex: Duplex, events: TransportEvents) {
    check(duplex);
    taken.add(duplex);
    this.duplex = duplex;
    this.#events = events;
  }

  listen(): void {
    const { onData, onDrain, onEnd, onError, onClose } = this.#events;
    this.duplex.on('data', onData);
    this.duplex.on('end', onEnd);
    this.duplex.on('error', onError);
    this.duplex.on('close', onClose);
    this.duplex.on('drain', onDrain);
    // Whoever had it before, to look at its first bytes, may have left it paused.
    this.duplex.resume();
  }

  /** Ends it in order: what was written still leaves. */
  end(): void {
    if (this.duplex.writable) this.duplex.end();
  }

  /** Reports no more. */
  release(): void {
    const { onData, onDrain, onEnd, onError, onClose } = this.#events;
    this.duplex.off('data', onData);
    this.duplex.off('end', onEnd);
    this.duplex.off('error', onError);
    this.duplex.off('close', onClose);
    this.duplex.off('drain', onDrain);
    // One that was given up may fail yet, and nobody else listens.
    if (!this.duplex.closed) this.duplex.on('error', ignore);
  }
}

function check(duplex: Partial<Duplex> | null | undefined): void {
  if (typeof duplex?.write !== 'function' || typeof duplex.read !== 'function') {
    throw invalidArgType('duplex', 'a Duplex', duplex);
  }
  if (taken.has(duplex as Duplex)) throw invalidState('this stream has a session already');
  if (!duplex.readable || !duplex.writable) throw invalidState('this stream is closing or closed');
  if (duplex.readableEncoding) {
    throw invalidState('this stream gives strings, after setEncoding(), and not bytes');
  }
}
