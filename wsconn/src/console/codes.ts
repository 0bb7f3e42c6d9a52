/**
 * The close codes of WebSockets (RFC 6455, section 7.4.1, and the IANA registry) and the statuses
 * of HTTP (RFC 9110, section 15) that the command sends or distinguishes.
 */

/** The connection has served its purpose. */
export const NORMAL_CLOSURE = 1000;
/** The connection is cut: the server stops, or the page is left. */
export const GOING_AWAY = 1001;
/** No Close frame came. It is never sent. */
export const ABNORMAL_CLOSURE = 1006;
/** The server restarts. */
export const SERVICE_RESTART = 1012;
/** What is behind the server failed. */
export const BAD_GATEWAY = 1014;

/** What a proxy answers to CONNECT when the way is open. */
export const OK = 200;
/** What some servers answer to a subprotocol that they do not know. */
export const BAD_REQUEST = 400;
/** The token is missing or wrong. */
export const UNAUTHORIZED = 401;
/** The Origin of a page is not one that gets in. */
export const FORBIDDEN = 403;
/** There is nothing at that path. */
export const NOT_FOUND = 404;
/** What is at that path can only be read. */
export const METHOD_NOT_ALLOWED = 405;
/** Too many wrong tokens came from there. */
export const TOO_MANY_REQUESTS = 429;
/** The server is full, or stops. */
export const UNAVAILABLE = 503;
