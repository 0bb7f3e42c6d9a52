// Keeps a browser's WebSocket alive through a load balancer. There is no adapter here: the WebSocket
// carries JSON, and Keepalive pings it. Browsers answer pings by themselves, so the page needs no
// code for it.
//
//   node --import tsx examples/heartbeat.ts 8080
//
// Open http://127.0.0.1:8080/ in a browser. A line typed here shows on the page, even after a long
// silence. The example prints each pong, each line that a page has shown, and each page that closes.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

import { WebSocketServer } from 'ws';
import { Keepalive } from 'ws-conn-adapter';

const page = `<!doctype html><title>heartbeat</title><h1>Waiting for a line</h1><script>
  const webSocket = new WebSocket(location.href.replace('http', 'ws'));
  webSocket.onmessage = ({ data }) => {
    document.querySelector('h1').textContent = JSON.parse(data).line;
    webSocket.send(JSON.stringify({ shown: JSON.parse(data).line }));
  };
  webSocket.onclose = () => { document.querySelector('h1').textContent = 'The connection is gone'; };
</script>`;

const web = http.createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
});
const server = new WebSocketServer({ server: web });
let count = 0;
server.on('connection', (webSocket) => {
  const name = `page ${String(++count)}`;
  const keepalive = new Keepalive(webSocket, { interval: 1_000, pongTimeout: 5_000 });
  keepalive.on('pong', (rtt) => {
    console.log(`${name}: pong after ${rtt.toFixed(1)} ms`);
  });
  keepalive.on('dead', (error) => {
    console.log(`${name}: ${error.message}`);
  });
  webSocket.on('message', (json: Buffer) => {
    console.log(`${name}: ${json.toString()}`);
  });
  webSocket.on('error', () => undefined); // 'close' follows.
  webSocket.on('close', (code) => {
    console.log(`${name}: closed with code ${String(code)}`);
  });
  console.log(`${name}: connected`);
});

createInterface({ input: process.stdin }).on('line', (line) => {
  for (const webSocket of server.clients) webSocket.send(JSON.stringify({ line }));
});
web.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${String((web.address() as AddressInfo).port)}/`);
});
