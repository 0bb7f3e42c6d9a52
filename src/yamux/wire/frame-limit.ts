import type { Duplex } from 'node:stream';

import { SocketDuplex } from '../../base/socket-duplex.ts';
import { HEADER_SIZE } from './frame.ts';
import { MUX_PROTOCOL } from './mux-protocol.ts';

/** The subprotocol of the WebSocket below, once the handshake is done, where there is one. */
function subprotocolOf(transport: SocketDuplex): unknown {
  return (transport as { readonly ws?: { readonly protocol?: unknown } }).ws?.protocol;
}

/**
 * Gives the bytes of the largest body that the peer may send in one frame, as far as the transport
 * decides it. hashicorp/yamux makes one frame of all that a window allows, and a Go program makes
 * one message of one frame: a window beyond what the WebSocket takes would let the peer break the
 * connection.
 */
export function largestBody(transport: Duplex): number {
  if (!(transport instanceof SocketDuplex) || transport.maxMessageBytes === undefined)
    return Infinity;
  if (subprotocolOf(transport) === MUX_PROTOCOL) return Infinity;
  return transport.maxMessageBytes - HEADER_SIZE;
}
