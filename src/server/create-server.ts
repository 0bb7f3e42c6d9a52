import type { IncomingMessage } from 'node:http';

import type { WsConnAdapter } from '../adapter/adapter.ts';
import type { ResumableSocket } from '../resume/socket/resumable-socket.ts';
import type { CreateServerOptions, ResumableServerOptions } from './options.ts';
import { WsConnServer } from './server.ts';

/**
 * Makes a server of WebSockets whose connections are sockets, as `net.createServer()` does for TCP:
 * call `listen()`, give it the `server` to share, or hand it upgrades with `handleUpgrade()`. Half
 * close is agreed on with clients that offer it, unless the option `halfClose` decides it. All
 * options of the adapter go to every connection.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for an option
 */
export function createServer(
  options: ResumableServerOptions,
  onConnection?: (connection: WsConnAdapter | ResumableSocket, request: IncomingMessage) => void,
): WsConnServer<WsConnAdapter | ResumableSocket>;
export function createServer(
  options?: CreateServerOptions,
  onConnection?: (adapter: WsConnAdapter, request: IncomingMessage) => void,
): WsConnServer;
export function createServer(
  onConnection: (adapter: WsConnAdapter, request: IncomingMessage) => void,
): WsConnServer;
export function createServer(
  first: CreateServerOptions | ((adapter: WsConnAdapter, request: IncomingMessage) => void) = {},
  second?: (adapter: never, request: IncomingMessage) => void,
): WsConnServer {
  const [options, onConnection] = typeof first === 'function' ? [{}, first] : [first, second];
  const server = new WsConnServer(options);
  if (onConnection) {
    server.on('connection', onConnection as (adapter: WsConnAdapter) => void);
  }
  return server;
}
