import type { SocketDuplex, WsConnSocket } from 'ws-conn-adapter';
import type { YamuxStream } from 'ws-conn-adapter/yamux';

import { BAD_GATEWAY } from '../console/codes.ts';
import type { GiveUp } from '../tunnel/give-up.ts';
import { readWish, type Wish, writeAnswer } from '../tunnel/stream-header.ts';
import { TargetError } from './dial-target.ts';
import type { Way } from './forward-to-target.ts';

/** Time in ms that a client has for the header of a stream. */
const HEADER_TIMEOUT = 10_000;

/** Dials what a client wants; rejects with a TargetError. */
export type DialWish = (wish: Wish, nobodyWaits: GiveUp) => ReturnType<Way['dial']>;

/** The way of a WebSocket whose URL names the target: its Close frame says why it failed. */
export function wayOfUrl(adapter: WsConnSocket, dial: Way['dial']): Way {
  return {
    dial,
    fail: ({ reason }) => {
      void adapter.close(BAD_GATEWAY, reason);
    },
  };
}

/** The way of a stream without a header: a reset is all that its client is told. */
export function wayOfStream(stream: YamuxStream, dial: Way['dial']): Way {
  return {
    dial,
    fail: () => {
      stream.resetAndDestroy();
    },
  };
}

/**
 * The way of a stream whose header names the target: the header of the answer says why it failed.
 * @param cut - ends the stream where it fails later than that
 */
export function wayOfHeader(
  stream: SocketDuplex,
  dial: DialWish,
  cut: (error: TargetError) => void,
): Way {
  let answered = false;
  return {
    dial: async (nobodyWaits) => dial(await wishOf(stream), nobodyWaits),
    connected: () => {
      answered = true;
      writeAnswer(stream);
    },
    fail: (error) => {
      if (answered) {
        cut(error);
        return;
      }
      answered = true;
      refuseStream(stream, error, cut);
    },
  };
}

/**
 * Tells a client in the header of the answer why its stream is refused.
 * @param cut - ends the stream where the client does not
 */
export function refuseStream(
  stream: SocketDuplex,
  error: TargetError,
  cut: (error: TargetError) => void,
): void {
  // A client that leaves at that has heard it.
  stream.on('error', () => undefined);
  writeAnswer(stream, { code: error.errno, reason: error.reason });
  stream.end();
  // What the client sends meanwhile is of no use any more, and it may never end.
  stream.resume();
  const late = setTimeout(cut, HEADER_TIMEOUT, error);
  stream.once('close', () => {
    clearTimeout(late);
  });
}

async function wishOf(stream: SocketDuplex): Promise<Wish> {
  const late = setTimeout(() => {
    stream.resetAndDestroy();
  }, HEADER_TIMEOUT);
  try {
    return await readWish(stream);
  } catch (error) {
    const { message } = error as Error;
    throw new TargetError('EPROTO', message, message, error);
  } finally {
    clearTimeout(late);
  }
}
