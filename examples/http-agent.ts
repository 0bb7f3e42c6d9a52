// Sends HTTP requests through a WebSocket. The connections of an http.Agent are adapters, and an
// ordinary http.Server takes them at the other end. The agent keeps connections alive, so one
// WebSocket serves one request after another.
//
//   node --import tsx examples/http-agent.ts
//
// It prints the answer to each of three requests, and the number of WebSockets.
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { text } from 'node:stream/consumers';

import { connect, createServer } from 'ws-conn-adapter';

const web = http.createServer((request, response) => {
  response.end(
    `${String(request.method)} ${String(request.url)} came from port ${String(request.socket.remotePort)}`,
  );
});

let webSockets = 0;
const tunnel = createServer((socket) => {
  webSockets++;
  web.emit('connection', socket);
});
tunnel.listen(0, '127.0.0.1');
await once(tunnel, 'listening');
const { port } = tunnel.address() as net.AddressInfo;

class WebSocketAgent extends http.Agent {
  override createConnection(): net.Socket {
    return connect(`ws://127.0.0.1:${String(port)}`);
  }
}

const agent = new WebSocketAgent({ keepAlive: true, maxSockets: 1 });
for (const path of ['/first', '/second', '/third']) {
  // The host is only for the Host header. The agent decides where the connection goes.
  const request = http.get({ host: 'device.internal', path, agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  console.log(await text(response));
}
console.log(`3 requests, WebSockets: ${String(webSockets)}`);
agent.destroy();
await tunnel.close();
