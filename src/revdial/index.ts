export { type DialOptions, RevdialDialer, type RevdialDialerEvents } from './dialer.ts';
export { RevdialListener, type RevdialListenerEvents, type RevdialListenerOptions } from './listener.ts';
export type { DialBack } from './pick-up.ts';
export type { PickUpOptions } from './pick-ups.ts';
export { type CreateDialerOptions, RevdialServer, type RevdialServerOptions } from './server.ts';
export type { ControlTimings } from './timings.ts';
