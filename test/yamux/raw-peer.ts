import type { Duplex } from 'node:stream';

import { onTestFinished } from 'vitest';

import { YamuxSession, type YamuxSessionOptions } from '../../src/yamux/index.ts';
import {
  encodeHeader,
  FrameDecoder,
  type FrameHeader,
  HEADER_SIZE,
} from '../../src/yamux/wire/frame.ts';
import { FIRST_MARK_ID } from '../../src/yamux/wire/in-flight.ts';
import { FIRST_KEEPALIVE_ID } from '../../src/yamux/session/keepalive.ts';
import { record } from '../support/events.ts';
import { memoryPair } from './pairs.ts';

/** Makes the bytes of one frame. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  length: number,
  body?: Buffer,
): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  encodeHeader(header, 0, type, flags, streamId, length);
  return body ? Buffer.concat([header, body]) : header;
}

/** A peer that sends whatever bytes it is told to, and takes note of the frames that come back. */
export class RawPeer {
  readonly transport: Duplex;
  readonly frames: FrameHeader[] = [];
  readonly #waiting: {
    readonly matches: (header: FrameHeader) => boolean;
    readonly resolve: (header: FrameHeader) => void;
  }[] = [];

  constructor(transport: Duplex) {
    this.transport = transport;
    const decoder = new FrameDecoder({
      onHeader: (header) => {
        this.frames.push(header);
        // As every peer does it. Pings that a test is about have other numbers.
        const isMark = header.type === 2 && header.flags === 1 && header.length >= FIRST_MARK_ID;
        if (isMark && header.length < FIRST_KEEPALIVE_ID) this.send(frame(2, 2, 0, header.length));
        const index = this.#waiting.findIndex(({ matches }) => matches(header));
        if (index !== -1) this.#waiting.splice(index, 1)[0]?.resolve(header);
      },
      onBody: () => undefined,
    });
    transport.on('data', (chunk: Buffer) => {
      decoder.decode(chunk);
    });
    transport.on('end', () => transport.end());
  }

  send(...frames: readonly Buffer[]): void {
    this.transport.write(Buffer.concat(frames));
  }

  /** Waits for the first frame that fits, which may have come already. */
  frame(matches: (header: FrameHeader) => boolean): Promise<FrameHeader> {
    const seen = this.frames.find(matches);
    if (seen) return Promise.resolve(seen);
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  /** Waits until the session has worked through all that was sent. */
  async settled(): Promise<void> {
    const id = 0xabcd_0000 + this.frames.length;
    this.send(frame(2, 1, 0, id));
    await this.frame(({ type, flags, length }) => type === 2 && flags === 2 && length === id);
  }
}

/**
 * Makes a session, the server unless told, that talks to a raw peer in memory; it is closed when
 * the test is over.
 */
export async function rawSession(
  options: Partial<YamuxSessionOptions> = {},
): Promise<{ readonly session: YamuxSession; readonly peer: RawPeer }> {
  const transport = await memoryPair();
  const { a, b } = transport;
  record(a);
  record(b);
  const session = new YamuxSession(a, { role: 'server', closeTimeout: 200, ...options });
  const peer = new RawPeer(b);
  onTestFinished(async () => {
    const closed = session.close();
    peer.transport.resume();
    await closed;
    await transport.stop();
  });
  return { session, peer };
}
