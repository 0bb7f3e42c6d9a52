import type { Duplex } from 'node:stream';

import { Failure } from '../console/failure.ts';

/** Reads a stream by exact numbers of bytes, within one time limit for all of them. */
export class ExactReader {
  readonly #stream: Duplex;
  readonly #deadline: number;
  readonly #ms: number;

  /** @param ms - time for everything that is read */
  constructor(stream: Duplex, ms: number) {
    this.#stream = stream;
    this.#ms = ms;
    this.#deadline = performance.now() + ms;
  }

  /**
   * Reads so many bytes, and leaves what follows them in the stream; returns fewer where it ends
   * before.
   * @throws Failure when they do not come in time, or the stream's error
   */
  read(length: number): Promise<Buffer> {
    const stream = this.#stream;
    if (length === 0) return Promise.resolve(Buffer.alloc(0));
    return new Promise((resolve, reject) => {
      let ended = false;
      const take = (): void => {
        const bytes = stream.read(length) as Buffer | null;
        if (bytes !== null) {
          settle(() => {
            resolve(bytes);
          });
        } else if (ended || stream.destroyed) {
          settle(() => {
            resolve(Buffer.alloc(0));
          });
        }
      };
      const onEnd = (): void => {
        ended = true;
        take();
      };
      const fail = (error: Error): void => {
        settle(() => {
          reject(error);
        });
      };
      const late = setTimeout(() => {
        fail(new Failure(`the local program did not finish its request in ${String(this.#ms)} ms`));
      }, this.#deadline - performance.now());
      const settle = (how: () => void): void => {
        clearTimeout(late);
        stream.off('readable', take);
        stream.off('end', onEnd);
        stream.off('close', onEnd);
        stream.off('error', fail);
        how();
      };
      stream.on('readable', take);
      stream.on('end', onEnd);
      stream.on('close', onEnd);
      stream.on('error', fail);
      if (stream.readableEnded) onEnd();
      else take();
    });
  }
}
