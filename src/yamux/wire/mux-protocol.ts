/**
 * Subprotocol of a WebSocket that carries yamux and whose two ends both cut their frames into small
 * messages, as this package does: `wsconn --mux`. Where it was agreed on, no window is too large
 * for the WebSocket.
 */
export const MUX_PROTOCOL = 'wsconn.mux';
