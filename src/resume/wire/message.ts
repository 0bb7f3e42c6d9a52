import { escaped } from '../../websocket/escape.ts';
import { VarintReader, MAX_VARINT, varintLength, writeVarint } from './varint.ts';

/** First byte of each message; docs/resume.md says what they mean. */
export const MessageType = {
  data: 0x00,
  ack: 0x01,
  ackData: 0x02,
  fin: 0x03,
  end: 0x04,
  abort: 0x05,
  hello: 0x06,
} as const;

/** Bytes of a session's id: 128 bits. */
export const ID_BYTES = 16;

/** Bytes in front of the data of the largest header: type, `received`, `consumed`. */
export const MAX_DATA_HEADER = 1 + 2 * MAX_VARINT;

/** How far one side has got with what the other sends: numbers of the sequence. */
export interface Progress {
  /** All before this number came. */
  readonly received: number;
  /** All before this number was read by the user. */
  readonly consumed: number;
}

/** What a client says first on each WebSocket. */
export interface Hello extends Progress {
  /** The session's, which shows that the client saw the server's answer. */
  readonly id: Buffer;
  /** Number of the first byte that it will send on this WebSocket. */
  readonly start: number;
}

/** A close code and reason, as a Close frame has them. */
export interface CloseSaid {
  readonly code: number;
  readonly reason: string;
}

export type Message =
  | { readonly type: 'data'; readonly progress: Progress | null; readonly bytes: Buffer }
  | { readonly type: 'ack'; readonly progress: Progress }
  | { readonly type: 'fin' }
  | { readonly type: 'end' | 'abort'; readonly close: CloseSaid }
  | { readonly type: 'hello'; readonly hello: Hello };

/**
 * Writes the header of a data message so that it ends at `end`, and returns where it begins. With
 * `progress` the message is an acknowledgement too. `MAX_DATA_HEADER` bytes before `end` must be
 * free.
 */
export function writeDataHeader(target: Buffer, end: number, progress: Progress | null): number {
  if (!progress) {
    target[end - 1] = MessageType.data;
    return end - 1;
  }
  const { received, consumed } = progress;
  const begin = end - 1 - varintLength(received) - varintLength(consumed);
  target[begin] = MessageType.ackData;
  writeVarint(target, consumed, writeVarint(target, received, begin + 1));
  return begin;
}

/** Makes an acknowledgement without data. */
export function encodeAck({ received, consumed }: Progress): Buffer {
  return encodeNumbers(MessageType.ack, Buffer.alloc(0), [received, consumed]);
}

/** Makes the FIN of one direction. */
export function encodeFin(): Buffer {
  return Buffer.of(MessageType.fin);
}

/** Makes the deliberate end of a session, in order (`end`) or broken off (`abort`). */
export function encodeClose(type: 'end' | 'abort', { code, reason }: CloseSaid): Buffer {
  const text = Buffer.from(reason);
  const message = Buffer.alloc(3 + text.length);
  message[0] = MessageType[type];
  message.writeUInt16BE(code, 1);
  text.copy(message, 3);
  return message;
}

/** Makes what a client says first on each WebSocket. */
export function encodeHello({ id, start, received, consumed }: Hello): Buffer {
  return encodeNumbers(MessageType.hello, id, [start, received, consumed]);
}

function encodeNumbers(type: number, prefix: Buffer, numbers: readonly number[]): Buffer {
  const message = Buffer.alloc(1 + prefix.length + numbers.length * MAX_VARINT);
  message[0] = type;
  prefix.copy(message, 1);
  let at = 1 + prefix.length;
  for (const number of numbers) at = writeVarint(message, number, at);
  return message.subarray(0, at);
}

/** Reads a message; returns what is wrong with it where it is none. */
export function decode(message: Buffer): Message | string {
  switch (message[0]) {
    case MessageType.data:
      return { type: 'data', progress: null, bytes: message.subarray(1) };
    case MessageType.ack:
    case MessageType.ackData:
      return decodeProgress(message);
    case MessageType.fin:
      return message.length === 1 ? { type: 'fin' } : 'a FIN has bytes behind it';
    case MessageType.end:
      return decodeClose('end', message);
    case MessageType.abort:
      return decodeClose('abort', message);
    case MessageType.hello:
      return decodeHello(message);
    case undefined:
      return 'an empty message';
    default:
      return `a message of unknown type ${String(message[0])}`;
  }
}

function decodeProgress(message: Buffer): Message | string {
  const reader = new VarintReader(message, 1);
  const received = reader.next();
  const consumed = reader.next();
  if (received === undefined || consumed === undefined) return 'an acknowledgement is cut off';
  if (consumed > received) return 'more is consumed than received';
  const progress = { received, consumed };
  const bytes = message.subarray(reader.offset);
  if (message[0] === MessageType.ackData) return { type: 'data', progress, bytes };
  return bytes.length === 0 ? { type: 'ack', progress } : 'an acknowledgement has bytes behind it';
}

function decodeClose(type: 'end' | 'abort', message: Buffer): Message | string {
  if (message.length < 3) return `the code of an ${type} is cut off`;
  // A Close frame has room for no more (RFC 6455, section 5.5).
  if (message.length > 126) return `the reason of an ${type} is longer than a Close frame has room`;
  const close = { code: message.readUInt16BE(1), reason: message.toString('utf8', 3) };
  return { type, close };
}

function decodeHello(message: Buffer): Message | string {
  const reader = new VarintReader(message, 1 + ID_BYTES);
  const start = reader.next();
  const received = reader.next();
  const consumed = reader.next();
  if (start === undefined || received === undefined || consumed === undefined) {
    return 'a HELLO is cut off';
  }
  if (reader.offset !== message.length) return 'a HELLO has bytes behind it';
  if (consumed > received) return 'more is consumed than received';
  const id = message.subarray(1, 1 + ID_BYTES);
  return { type: 'hello', hello: { id, start, received, consumed } };
}

/** Returns a code and reason for people: the reason comes from the peer. */
export function closeText({ code, reason }: CloseSaid): string {
  return reason === '' ? String(code) : `${String(code)}: ${escaped(reason)}`;
}
