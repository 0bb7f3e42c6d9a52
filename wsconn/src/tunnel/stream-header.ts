import type { Duplex } from 'node:stream';

import { MUX_PROTOCOL } from 'ws-conn-adapter/yamux';

import type { HostPort } from '../console/place.ts';

/**
 * Subprotocols of `wsconn serve` whose streams begin with a header, which says what the client
 * wants and how that went: over one WebSocket with many yamux streams, and over one of its own.
 *
 * The client sends one line, `open`, `open NAME` or `connect HOST:PORT`, and may go on with data.
 * The server answers with one line, `ok` and then data, or `refused CODE REASON` and its end. Lines
 * are UTF-8, at most 1024 bytes with the line feed that ends them.
 */
export const MUX_WITH_HEADERS = `${MUX_PROTOCOL}.headers`;
export const STREAM_WITH_HEADER = 'wsconn.stream';

/** What the header of a client asks for: a target by name, empty for the one without, or an address. */
export type Wish = { readonly name: string } | { readonly address: HostPort };

/** What the header of a server says where it refuses. */
export interface Refused {
  /** Errno name of what happened; EACCES for what is not allowed, ENOENT for an unknown name. */
  readonly code: string;
  readonly reason: string;
}

/**
 * What the name of a target may consist of: characters that stand for themselves in a URL (RFC 3986,
 * section 2.3).
 */
const NAME = /^(?!\.{1,2}$)[\w.~-]+$/;

/** Returns whether a target may have that name. */
export function isTargetName(name: string): boolean {
  return NAME.test(name);
}

const LONGEST_LINE = 1024;
const LINE_FEED = 0x0a;
const MAX_PORT = 65_535;

/** Writes the header of a client. */
export function writeWish(stream: Duplex, wish: Wish): void {
  if ('address' in wish) {
    const { host, port } = wish.address;
    const shown = host.includes(':') ? `[${host}]` : host;
    stream.write(`connect ${shown}:${String(port)}\n`);
  } else {
    stream.write(wish.name === '' ? 'open\n' : `open ${wish.name}\n`);
  }
}

/**
 * Reads the header of a client.
 * @throws Error for one that cannot be understood, or a stream that ends before it is whole
 */
export async function readWish(stream: Duplex): Promise<Wish> {
  const line = await readLine(stream);
  const [, verb, rest = ''] = /^(open|connect)(?: (.*))?$/s.exec(line) ?? [];
  if (verb === 'open') return { name: rest };
  const [, v6, name, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(rest) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (verb === undefined || host === undefined || port === 0 || port > MAX_PORT) {
    throw new Error('the client sent no header that this version knows');
  }
  return { address: { host, port } };
}

/** Writes the header of a server. */
export function writeAnswer(stream: Duplex, refused?: Refused): void {
  if (!refused) {
    stream.write('ok\n');
    return;
  }
  const line = `refused ${refused.code} ${refused.reason}`.replaceAll('\n', ' ');
  stream.write(
    `${Buffer.from(line)
      .subarray(0, LONGEST_LINE - 1)
      .toString()}\n`,
  );
}

/**
 * Reads the header of a server; returns undefined where it is connected.
 * @throws Error for one that cannot be understood, or a stream that ends before it is whole
 */
export async function readAnswer(stream: Duplex): Promise<Refused | undefined> {
  const line = await readLine(stream);
  if (line === 'ok') return undefined;
  const [, code, reason] = /^refused (\w+) (.*)$/s.exec(line) ?? [];
  if (code === undefined || reason === undefined) {
    throw new Error('the server sent no answer that this version knows');
  }
  return { code, reason };
}

/** Reads a line, and leaves what follows it in the stream. */
function readLine(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = Buffer.alloc(0);
    const settle = (): void => {
      stream.off('readable', read);
      stream.off('end', onEnd);
      stream.off('close', onEnd);
      stream.off('error', fail);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const onEnd = (): void => {
      fail(stream.errored ?? new Error('the other end ended the stream before its header'));
    };
    const read = (): void => {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) return;
      line = Buffer.concat([line, chunk]);
      const end = line.indexOf(LINE_FEED);
      if (end >= LONGEST_LINE || (end === -1 && line.length >= LONGEST_LINE)) {
        fail(new Error(`the header of a stream is longer than ${String(LONGEST_LINE)} bytes`));
        return;
      }
      if (end === -1) return;
      settle();
      if (end + 1 < line.length) stream.unshift(line.subarray(end + 1));
      resolve(line.toString('utf8', 0, end));
    };
    stream.on('readable', read);
    stream.on('end', onEnd);
    stream.on('close', onEnd);
    stream.on('error', fail);
    if (stream.destroyed) onEnd();
  });
}
