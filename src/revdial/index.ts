export { WsConnError, type WsConnErrorCode, type WsConnErrorDetails } from '../base/errors.ts';
export { type DialOptions, RevdialDialer, type RevdialDialerEvents } from './dialer.ts';
export {
  RevdialListener,
  type RevdialListenerEvents,
  type RevdialListenerOptions,
} from './listener.ts';
export type { DialBack } from './dial-back.ts';
export type { DialBackOptions } from './pending-dials.ts';
export { type CreateDialerOptions, RevdialServer, type RevdialServerOptions } from './server.ts';
export type { ControlOptions } from './control-options.ts';
