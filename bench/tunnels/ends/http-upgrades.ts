/** An HTTP upgrade for each connection, and pipes from then on: a WebSocket without its frames. */
import http from 'node:http';
import net, { type Socket } from 'node:net';

import { HOST, isNear, listenPort, nextPort } from './arguments.ts';
import { pipeBoth } from './pipe-both.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bench\r\n\r\n';

function near(): void {
  const headers = { connection: 'Upgrade', upgrade: 'bench' };
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (local) => {
    local.on('error', () => local.destroy());
    const request = http.request({ port: nextPort, host: HOST, headers, agent: false });
    request.on('error', () => local.destroy());
    request.on('upgrade', (_response, socket: Socket, head) => {
      if (head.length > 0) socket.unshift(head);
      pipeBoth(local, socket.setNoDelay(true));
    });
    request.end();
  });
  server.listen(listenPort, HOST);
}

function far(): void {
  const server = http.createServer();
  server.on('upgrade', (_request, socket: Socket, head) => {
    if (head.length > 0) socket.unshift(head);
    const target = net.connect({ port: nextPort, host: HOST, noDelay: true, allowHalfOpen: true });
    socket.setNoDelay(true).write(SWITCH);
    pipeBoth(socket, target);
  });
  server.listen(listenPort, HOST);
}

if (isNear) near();
else far();
