export { WsConnAdapter, type WsConnAdapterOptions } from './adapter.ts';
export { WsConnError, type WsConnErrorCode, type WsConnErrorDetails } from './errors.ts';
export { Keepalive, type KeepaliveEvents, type KeepaliveOptions } from './keepalive.ts';
export { SocketDuplex, type SocketDuplexOptions, type Addresses } from './socket-duplex.ts';
