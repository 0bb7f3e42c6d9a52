export { WsConnError, type WsConnErrorCode, type WsConnErrorDetails } from '../errors.ts';
export { YamuxSession, type YamuxSessionEvents } from './session.ts';
export { type SessionKeepaliveOptions, type YamuxSessionOptions } from './session-options.ts';
export { YamuxStream } from './stream.ts';
