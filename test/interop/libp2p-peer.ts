import type { Duplex } from 'node:stream';

import type { MessageStreamDirection, MultiaddrConnection } from '@libp2p/interface';
import { defaultLogger } from '@libp2p/logger';
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import type { Uint8ArrayList } from 'uint8arraylist';

// libp2p asks for Node 22; on Node 20 this is all that it misses here.
(Promise as { withResolvers?: unknown }).withResolvers ??= function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  let reject!: (reason?: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
};

/** Makes a Duplex one of libp2p's connections. */
class DuplexConnection extends AbstractMultiaddrConnection {
  readonly #duplex: Duplex;

  constructor(duplex: Duplex, direction: MessageStreamDirection) {
    super({
      direction,
      remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'),
      log: defaultLogger().forComponent('test'),
      inactivityTimeout: Infinity,
    });
    this.#duplex = duplex;
    duplex.on('data', (chunk: Buffer) => {
      this.onData(chunk);
    });
    duplex.on('drain', () => this.safeDispatchEvent('drain'));
    duplex.on('error', () => undefined);
    duplex.on('close', () => {
      this.onTransportClosed();
    });
  }

  override sendData(data: Uint8ArrayList): SendResult {
    let canSendMore = true;
    for (const part of data) canSendMore = this.#duplex.write(part);
    return { sentBytes: data.byteLength, canSendMore };
  }

  override sendReset(): void {
    this.#duplex.destroy();
  }

  override sendClose(): Promise<void> {
    this.#duplex.end();
    return Promise.resolve();
  }

  override sendPause(): void {
    this.#duplex.pause();
  }

  override sendResume(): void {
    this.#duplex.resume();
  }
}

/** Makes a Duplex one of libp2p's connections; the 'outbound' end is the one that proposes. */
export function libp2pConnection(
  duplex: Duplex,
  direction: MessageStreamDirection,
): MultiaddrConnection {
  return new DuplexConnection(duplex, direction);
}

/** The muxer of @libp2p/yamux over a Duplex; the client is the one that is 'outbound'. */
export type Libp2pMuxer = ReturnType<ReturnType<ReturnType<typeof yamux>>['createStreamMuxer']>;

export function libp2pMuxer(duplex: Duplex, direction: MessageStreamDirection): Libp2pMuxer {
  return yamux({ enableKeepAlive: false })().createStreamMuxer(libp2pConnection(duplex, direction));
}
