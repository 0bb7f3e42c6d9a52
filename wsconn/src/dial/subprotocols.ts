/**
 * Names by which `wsconn` tells `wsconn serve`, in the handshake, that a WebSocket is not simply
 * one connection to the target. They are subprotocols (Sec-WebSocket-Protocol), because a handshake
 * with a server that does not know the name must fail: without an agreement the frames of a
 * multiplexer would end up in the target.
 */

/** Carries yamux: each stream of it is one connection to the target. */
export { MUX_PROTOCOL } from 'ws-conn-adapter/yamux';

/**
 * Carries nothing: the server dials no target, sends no ping of its own, and gives back what it
 * gets. For ping and doctor.
 */
export const PROBE_PROTOCOL = 'wsconn.probe';
