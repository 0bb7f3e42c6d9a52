export { WsConnError, type WsConnErrorCode, type WsConnErrorDetails } from '../base/errors.ts';
export type { KeepaliveOptions } from '../keepalive/options.ts';
export { YamuxSession, type YamuxSessionEvents } from './session/session.ts';
export type { YamuxSessionOptions } from './session/options.ts';
export { MUX_PROTOCOL } from './wire/frame-limit.ts';
export { YamuxStream } from './stream/stream.ts';
