import type { ClientRequest } from 'node:http';

import type { WebSocket } from 'ws';

import { WayFailure } from '../console/failure.ts';
import { showUrl } from '../console/secrets.ts';
import { isEncrypted } from './options/check-url.ts';

/** Headers of the handshake itself, which each request has its own of. */
const OF_THE_HANDSHAKE = /^(?:host|connection|upgrade|sec-websocket-.*)$/i;

/**
 * Makes what ws calls before it sends the request of a handshake, be it the first or that of a
 * redirect: to another host go no headers of the user, and no redirect leads out of TLS or to a
 * socket of this machine.
 * @param headers - names of the headers of the user
 */
export function guardRedirects(
  first: URL,
  headers: readonly string[],
): (request: ClientRequest, websocket: WebSocket) => void {
  return (request, websocket) => {
    const url = new URL(websocket.url);
    const problem = /^wss?:$/.test(url.protocol)
      ? isEncrypted(first) && !isEncrypted(url)
        ? 'which is not encrypted'
        : undefined
      : 'which no server may choose';
    if (problem !== undefined) {
      const to = `${first.host} redirects to ${showUrl(url)}, ${problem}`;
      request.destroy(new WayFailure(`${to}: give the URL that is meant`));
      return;
    }
    if (url.host !== first.host) {
      for (const name of headers) if (!OF_THE_HANDSHAKE.test(name)) request.removeHeader(name);
    }
    request.end();
  };
}
