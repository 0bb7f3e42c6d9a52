export { WsConnAdapter } from './adapter.ts';
export type { WsConnAdapterOptions } from './adapter-options.ts';
export { connect, type ConnectOptions } from './connect.ts';
export { WsConnError, type WsConnErrorCode, type WsConnErrorDetails } from './errors.ts';
export type { Authenticate, Refusal } from './gatekeeper.ts';
export { join, type JoinOptions } from './join.ts';
export { Keepalive, type KeepaliveEvents, type KeepaliveOptions } from './keepalive.ts';
export { createServer, type CreateServerOptions, WsConnServer, type WsConnServerEvents } from './server.ts';
export { type Addresses, SocketDuplex, type SocketDuplexOptions } from './socket-duplex.ts';
