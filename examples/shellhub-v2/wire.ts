import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Where devices open their WebSocket. */
export const CONNECTION_PATH = '/agent/connection';

/** What a stream is for, as multistream-select names it. */
export const SSH_OPEN = '/ssh/open/1.0.0';
export const SSH_CLOSE = '/ssh/close/1.0.0';
export const HTTP_PROXY = '/http/proxy/1.0.0';

/** A JSON line. All values are strings, a port too. */
export type Fields = Readonly<Record<string, string>>;

const MAX_LINE_BYTES = 4_096;
/** Time in ms for the other end to say something. */
export const ANSWER_TIMEOUT = 10_000;

/**
 * Formats a line. It has to leave in one write: a decoder that has the object does not wait for the
 * newline, which would be the first byte of the payload then.
 */
export function formatLine(fields: Fields): string {
  return `${JSON.stringify(fields)}\n`;
}

/** Waits until there is something to read, and leaves it there. */
export async function firstByte(stream: Readable): Promise<void> {
  if (stream.readableLength === 0 && !stream.destroyed) {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(ANSWER_TIMEOUT)]);
    const events = ['readable', 'close'].map((name) => once(stream, name, { signal }));
    await Promise.race(events).finally(() => {
      settled.abort();
    });
  }
  if (stream.readableLength === 0) throw new Error('the other end has ended without a word');
}

/** Reads a line, and not one byte of the payload behind it. */
export async function readLine(stream: Readable): Promise<Fields> {
  const bytes: Buffer[] = [];
  while (bytes.at(-1)?.[0] !== 0x0a) {
    if (bytes.length === MAX_LINE_BYTES) throw new Error('the JSON line is too long');
    await firstByte(stream);
    bytes.push(stream.read(1) as Buffer);
  }
  const fields: unknown = JSON.parse(Buffer.concat(bytes).toString());
  if (typeof fields !== 'object' || fields === null) throw new Error('the line is no JSON object');
  const entries = Object.entries(fields).map(([key, value]) => [key, String(value)] as const);
  return Object.fromEntries(entries);
}
