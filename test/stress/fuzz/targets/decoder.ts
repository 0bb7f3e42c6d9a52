/** FrameDecoder, against a decoder that is too simple to be wrong, with every border of chunks. */
import { FrameDecoder, type FrameHeader } from '../../../../src/yamux/wire/frame.ts';
import { inputsOf } from '../inputs.ts';
import { bits, check, few, type Input, type Target } from '../target.ts';
import { yamuxBytes } from './yamux-bytes.ts';

/** Bytes up to which an input is cut in two at every place. */
const MAX_TO_CUT = 120;

interface Decoded {
  /** Frames as text, each with its body as far as it came. */
  readonly frames: readonly string[];
  readonly atBorder: boolean;
}

function text(header: FrameHeader, body: Buffer): string {
  const { version, type, flags, streamId, length } = header;
  return `${[version, type, flags, streamId, length].join(' ')}: ${body.toString('latin1')}`;
}

/** Decodes all at once: 12 bytes of header; behind a Data frame's, as many bytes as it says. */
function oracle(bytes: Buffer): Decoded {
  const frames: string[] = [];
  let rest = bytes;
  while (rest.length >= 12) {
    const view = new DataView(rest.buffer, rest.byteOffset, 12);
    const header = {
      version: view.getUint8(0),
      type: view.getUint8(1),
      flags: view.getUint16(2),
      streamId: view.getUint32(4),
      length: view.getUint32(8),
    };
    const body = header.type === 0 ? header.length : 0;
    frames.push(text(header, rest.subarray(12, 12 + body)));
    if (rest.length < 12 + body) return { frames, atBorder: false };
    rest = rest.subarray(12 + body);
  }
  return { frames, atBorder: rest.length === 0 };
}

/** Feeds the decoder; stops it after so many frames where told. */
function decode(chunks: Iterable<Buffer>, stopAfter = Infinity): Decoded {
  const frames: { readonly header: FrameHeader; readonly body: Buffer[]; left: number }[] = [];
  const decoder = new FrameDecoder({
    onHeader: (header) => {
      check((frames.at(-1)?.left ?? 0) === 0, 'no header comes within a body');
      frames.push({ header, body: [], left: header.type === 0 ? header.length : 0 });
      if (frames.length === stopAfter) decoder.stop();
    },
    onBody: (piece, left) => {
      const frame = frames.at(-1);
      check(piece.length > 0, 'no piece of a body is empty');
      check(frame !== undefined && frame.left === piece.length + left, 'what is left is counted');
      if (!frame) return;
      frame.left = left;
      frame.body.push(piece);
    },
  });
  for (const chunk of chunks) decoder.decode(chunk);
  return {
    frames: frames.map(({ header, body }) => text(header, Buffer.concat(body))),
    atBorder: decoder.atBorder,
  };
}

function same(a: Decoded, b: Decoded): boolean {
  return a.frames.join('\n') === b.frames.join('\n') && a.atBorder === b.atBorder;
}

function run(input: Input): string[] {
  const bytes = Buffer.concat(input.chunks);
  const expected = oracle(bytes);
  const found = decode(input.chunks);
  check(same(found, expected), 'the decoder finds what the simple one finds');
  if (bytes.length <= MAX_TO_CUT) {
    for (let at = 1; at < bytes.length; at++) {
      const halves = [bytes.subarray(0, at), bytes.subarray(at)];
      check(same(decode(halves), expected), `it does when cut at byte ${String(at)}`);
    }
    const single = Array.from(bytes, (byte) => Buffer.of(byte));
    check(same(decode(single), expected), 'it does byte by byte');
  }
  const stopAfter = bits(input, 0, 2) + 1;
  const stopped = decode(input.chunks, stopAfter).frames;
  check(stopped.length <= stopAfter, 'stop() is the end');
  const types = new Set(expected.frames.map((frame) => Math.min(4, Number(frame.split(' ')[1]))));
  const kinds = [...types].sort().join('');
  return [`${few(expected.frames.length)} of types ${kinds}`, expected.atBorder ? 'whole' : 'cut'];
}

export const decoder: Target = {
  name: 'yamux-decoder',
  weight: 1,
  inputs: inputsOf(yamuxBytes, 6),
  run,
};
