import type { Channel } from '../stream/channel.ts';
import {
  Flag,
  FrameDecoder,
  type FrameHeader,
  FrameType,
  KNOWN_FLAGS,
  VERSION,
} from '../wire/frame.ts';
import type { ReleasedStreams } from './released-streams.ts';

/** The streams that frames are for. */
export interface RoutedStreams {
  /** Returns the channel of a stream that is on the wire. */
  find(id: number): Channel | undefined;
  /** The peer opens a stream: returns its channel, or undefined if it was refused. */
  onSyn(id: number): Channel | undefined;
}

/** What frames mean that are for no stream. */
export interface FrameRouterEvents {
  readonly onPing: (id: number, isAnswer: boolean) => void;
  readonly onGoAway: (code: number) => void;
  /** The peer broke the protocol. */
  readonly onViolation: (happened: string) => void;
}

/**
 * Forwards each frame to what it is for, and reports what breaks the protocol. Frames for
 * streams that are gone are ignored, as spec.md implies: the peer sent them before it knew.
 */
export class FrameRouter {
  readonly #streams: RoutedStreams;
  readonly #released: ReleasedStreams;
  readonly #events: FrameRouterEvents;
  readonly #maxWindow: number;
  /** 1 if the streams of the peer have odd numbers, else 0. */
  readonly #peerParity: number;
  readonly #decoder = new FrameDecoder({
    onHeader: (header) => {
      this.#onHeader(header);
    },
    onBody: (piece, left) => {
      this.#onBody(piece, left);
    },
  });
  /** The stream whose body is coming; null for one that is gone. */
  #target: Channel | null = null;
  #header: FrameHeader | null = null;

  /** @param maxWindow - bytes that no window of this side is larger than */
  constructor(
    peerIsClient: boolean,
    maxWindow: number,
    streams: RoutedStreams,
    released: ReleasedStreams,
    events: FrameRouterEvents,
  ) {
    this.#peerParity = peerIsClient ? 1 : 0;
    this.#maxWindow = maxWindow;
    this.#streams = streams;
    this.#released = released;
    this.#events = events;
  }

  /** Whether the stream of bytes could end here without cutting a frame. */
  get atBorder(): boolean {
    return this.#decoder.atBorder;
  }

  decode(chunk: Buffer): void {
    this.#decoder.decode(chunk);
  }

  stop(): void {
    this.#decoder.stop();
  }

  #onHeader(header: FrameHeader): void {
    const { version, type, flags, streamId, length } = header;
    if (version !== VERSION) {
      this.#violation(`a frame of version ${String(version)} came`);
    } else if ((flags & ~KNOWN_FLAGS) !== 0) {
      this.#violation(`a frame with the unknown flags 0x${flags.toString(16)} came`);
    } else if (type === FrameType.ping) {
      this.#events.onPing(length, (flags & Flag.syn) === 0);
    } else if (type === FrameType.goAway) {
      this.#events.onGoAway(length);
    } else if (type !== FrameType.data && type !== FrameType.windowUpdate) {
      this.#violation(`a frame of the unknown type ${String(type)} came`);
    } else if (streamId === 0) {
      this.#violation('data or a window came for stream 0, which is the session');
    } else {
      this.#onStreamFrame(header);
    }
  }

  #onStreamFrame(header: FrameHeader): void {
    const { type, flags, streamId } = header;
    let channel = this.#streams.find(streamId);
    if ((flags & Flag.syn) !== 0) {
      if (streamId % 2 !== this.#peerParity) {
        this.#violation(
          `the peer opened stream ${String(streamId)}, whose number is one of this side`,
        );
        return;
      }
      if (channel || this.#released.has(streamId)) {
        this.#violation(`the peer opened stream ${String(streamId)} twice`);
        return;
      }
      channel = this.#streams.onSyn(streamId);
    }
    if (!channel) this.#released.onAnswer(streamId);
    else if ((flags & Flag.rst) === 0) channel.onAnswer();
    // A handler that was told of it may have destroyed the stream.
    if (channel?.gone) channel = undefined;
    if (type === FrameType.data) this.#onData(header, channel);
    else this.#onWindowUpdate(header, channel);
  }

  #onWindowUpdate(header: FrameHeader, channel: Channel | undefined): void {
    // The length of a reset is no window: libp2p's go-yamux puts an error code there.
    const isReset = (header.flags & Flag.rst) !== 0;
    if (channel && !isReset && !channel.onCredit(header.length)) {
      this.#violation(
        `the window of stream ${String(header.streamId)} was opened beyond 2^32 - 1 bytes`,
      );
      return;
    }
    this.#onEnds(header, channel);
  }

  #onData(header: FrameHeader, channel: Channel | undefined): void {
    const { streamId, length } = header;
    if (length === 0) {
      this.#onEnds(header, channel);
      return;
    }
    if (length > (channel?.window.open ?? this.#maxWindow)) {
      this.#violation(
        `${String(length)} bytes came for stream ${String(streamId)}, more than its window has left`,
      );
    } else if (channel?.finReceived) {
      this.#violation(`${String(length)} bytes came for stream ${String(streamId)} after its end`);
    } else {
      this.#header = header;
      this.#target = channel ?? null;
    }
  }

  #onBody(piece: Buffer, left: number): void {
    const header = this.#header;
    if (!header) return;
    const target = this.#target;
    if (target && !target.gone) target.onBody(piece);
    else if (!this.#released.onData(header.streamId, piece.length)) {
      this.#violation(
        `data came for stream ${String(header.streamId)}, which is not open, and more than any window allowed`,
      );
    }
    if (left > 0) return;
    this.#header = this.#target = null;
    this.#onEnds(header, target?.gone === false ? target : undefined);
  }

  /** Applies the flags that take effect behind the body. */
  #onEnds(header: FrameHeader, channel: Channel | undefined): void {
    const { flags, streamId } = header;
    if ((flags & Flag.rst) !== 0) {
      if (channel) channel.onReset();
      else this.#released.onEnd(streamId);
    } else if ((flags & Flag.fin) !== 0) {
      if (channel) channel.onFin();
      else this.#released.onEnd(streamId);
    }
  }

  #violation(happened: string): void {
    this.stop();
    this.#events.onViolation(happened);
  }
}
