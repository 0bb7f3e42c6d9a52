/**
 * Close codes of WebSockets that the command sends or tells apart (RFC 6455, section 7.4.1, and the
 * IANA registry).
 */

/** The connection has done what it was for. */
export const NORMAL_CLOSURE = 1000;
/** An end that cuts the connection: the server stops, or the page is left. */
export const GOING_AWAY = 1001;
/** The server restarts. */
export const SERVICE_RESTART = 1012;
/** What lies behind the server failed. */
export const BAD_GATEWAY = 1014;
