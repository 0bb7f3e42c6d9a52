/**
 * How far the end of a connection has got that outlives its WebSocket:
 * - `open`: nobody ends the connection as a whole.
 * - `closing`: close() runs. What was written is sent, END behind it, and the peer has
 *   `closeTimeout` to acknowledge it.
 * - `finishing`: both directions have ended; the peer has yet to acknowledge our FIN, however late.
 * - `leaving`: destroy() with nothing unsent. FIN and END are sent, and the peer has `closeTimeout`
 *   to acknowledge them.
 * - `aborting`: ABORT is said, or is to be said.
 * - `closed`: the stream is done with it.
 */
export type EndPhase = 'open' | 'closing' | 'finishing' | 'leaving' | 'aborting' | 'closed';
