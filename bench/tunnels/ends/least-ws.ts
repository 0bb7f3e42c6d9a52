/**
 * The least code with which ws forwards TCP, and holds back who is too fast: listen to 'message',
 * send(). It knows no half close, no keepalive, and tells no failure from an end.
 */
import net, { type Socket } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import { HOST, isNear, listenPort, nextPort } from './arguments.ts';

/** Bytes that may wait in the WebSocket. */
const MOST_WAITING = 65_536;

function forward(socket: Socket, ws: WebSocket): void {
  socket.on('data', (chunk) => {
    ws.send(chunk, () => socket.resume());
    if (ws.bufferedAmount > MOST_WAITING) socket.pause();
  });
  ws.on('message', (message: Buffer) => {
    if (socket.write(message)) return;
    ws.pause();
    socket.once('drain', () => {
      ws.resume();
    });
  });
  socket.on('error', () => {
    ws.close();
  });
  socket.on('end', () => {
    ws.close();
  });
  ws.on('error', () => socket.destroy());
  ws.on('close', () => socket.end());
}

function near(): void {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.pause();
    const ws = new WebSocket(`ws://${HOST}:${String(nextPort)}`, { perMessageDeflate: false });
    ws.on('open', () => {
      socket.resume();
    });
    forward(socket, ws);
  });
  server.listen(listenPort, HOST);
}

function far(): void {
  new WebSocketServer({ port: listenPort, host: HOST }).on('connection', (ws) => {
    forward(net.connect({ port: nextPort, host: HOST, noDelay: true }), ws);
  });
}

if (isNear) near();
else far();
