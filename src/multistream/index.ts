export { WsConnError, type WsConnErrorCode, type WsConnErrorDetails } from '../base/errors.ts';
export { handle, type HandleOptions } from './handle.ts';
export type { Negotiated, NegotiateOptions } from './options.ts';
export { select, type SelectOptions } from './select.ts';
