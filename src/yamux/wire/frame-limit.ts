import type { Duplex } from 'node:stream';

import { SocketDuplex } from '../../base/socket-duplex.ts';
import { HEADER_SIZE } from './frame.ts';

/**
 * Names the WebSocket subprotocol for yamux between two ends that both send small messages,
 * whatever the windows are. This package does: its messages have 64 KiB at most.
 *
 * Offer it with connect()'s `protocols`, and have the server pick it, where both ends run a
 * YamuxSession over the adapter, as `wsconn --mux` does. Then windows may grow beyond the
 * `maxPayload` of the WebSocket, which a fast link with a long round trip needs. Do not agree to it
 * in a program that sends each frame as one message, as Go programs do: a frame may be as large as
 * the window, and the WebSocket would fail with `EMSGSIZE`.
 *
 * A subprotocol of your own whose name goes on after this one with a dot means the same to yamux.
 */
export const MUX_PROTOCOL = 'wsconn.mux';

function isMuxProtocol(name: unknown): boolean {
  return typeof name === 'string' && `${name}.`.startsWith(`${MUX_PROTOCOL}.`);
}

/** Returns the subprotocol of the WebSocket below, once the handshake is done, where there is one. */
function subprotocolOf(transport: SocketDuplex): unknown {
  return (transport as { readonly ws?: { readonly protocol?: unknown } }).ws?.protocol;
}

/**
 * Returns the bytes of the largest body that the peer may send in one frame, as far as the transport
 * decides it. hashicorp/yamux makes one frame of all that a window allows, and a Go program makes
 * one message of one frame: a window beyond what the WebSocket takes would let the peer break the
 * connection.
 */
export function largestBody(transport: Duplex): number {
  if (!(transport instanceof SocketDuplex) || transport.maxMessageBytes === undefined)
    return Infinity;
  if (isMuxProtocol(subprotocolOf(transport))) return Infinity;
  return transport.maxMessageBytes - HEADER_SIZE;
}
