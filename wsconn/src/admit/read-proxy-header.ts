import type { Socket } from 'node:net';

import { parseProxyHeader } from './proxy-header.ts';
import type { ClientAddress } from './trusted-proxies.ts';

/** Time in ms in which the first bytes must have come. */
const HEADER_TIMEOUT = 10_000;

/** How the beginning of a connection was read. */
export type Beginning =
  /** What is behind the header, if there was one, can be read from the socket. */
  | { readonly kind: 'read'; readonly client: ClientAddress | undefined }
  /** Why the connection is of no use. */
  | { readonly kind: 'useless'; readonly why: string }
  /** It ended before anything came. */
  | { readonly kind: 'ended' };

/** Reads the PROXY header of a connection, if it begins with one. */
export function readProxyHeader(socket: Socket): Promise<Beginning> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const settle = (beginning: Beginning): void => {
      clearTimeout(late);
      socket.off('readable', look);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      socket.off('error', onError);
      resolve(beginning);
    };
    const useless = (why: string): void => {
      settle({ kind: 'useless', why });
    };
    const onEnd = (): void => {
      if (bytes.length === 0) settle({ kind: 'ended' });
      else useless('it ended within a PROXY header');
    };
    const onError = (): void => {
      socket.destroy(); // 'close' follows.
    };
    const look = (): void => {
      const part = socket.read() as Buffer | null;
      if (part === null) return;
      bytes = Buffer.concat([bytes, part]);
      const header = parseProxyHeader(bytes);
      if (header.kind === 'incomplete') return;
      if (header.kind === 'malformed') {
        useless(`its PROXY header is malformed: ${header.why}`);
        return;
      }
      const named = header.kind === 'header' ? header : { length: 0, client: undefined };
      if (bytes.length > named.length) socket.unshift(bytes.subarray(named.length));
      settle({ kind: 'read', client: named.client });
    };
    const late = setTimeout(useless, HEADER_TIMEOUT, 'it sent nothing, or no whole PROXY header');
    socket.on('readable', look);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    socket.on('error', onError);
  });
}
