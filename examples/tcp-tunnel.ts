// Carries TCP through a WebSocket: TCP port -> WebSocket -> TCP port. A half close goes through, so
// `printf x | nc -N` gets its answer. Both ends are this program. The server accepts WebSockets on
// port 8080, the client accepts TCP on port 5433:
//
//   node --import tsx examples/tcp-tunnel.ts server 8080 127.0.0.1:5432
//   node --import tsx examples/tcp-tunnel.ts client 5433 ws://127.0.0.1:8080
//
// It prints where it listens (port 0 takes a free port), and a line for each connection that fails.
import net, { type AddressInfo } from 'node:net';

import { connect, createServer, join } from 'ws-conn-adapter';

function carry(from: net.Socket, to: net.Socket): void {
  join(from, to).catch((error: unknown) => {
    console.error(`${String(from.remoteAddress)}:${String(from.remotePort)}: ${String(error)}`);
  });
}

function serve(port: number, target: string): void {
  const { hostname, port: targetPort } = new URL(`tcp://${target}`);
  const server = createServer({ keepalive: true }, (webSocket) => {
    carry(webSocket, net.connect(Number(targetPort), hostname));
  });
  server.listen(port, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`ws://127.0.0.1:${String(port)} -> ${target}`);
  });
}

function dial(port: number, url: string): void {
  // Half open from the start: a client may send its FIN before the WebSocket is open.
  const server = net.createServer({ allowHalfOpen: true }, (tcp) => {
    carry(tcp, connect(url, { keepalive: true }));
  });
  server.listen(port, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`127.0.0.1:${String(port)} -> ${url}`);
  });
}

const [role, port, target] = process.argv.slice(2);
if (target !== undefined && role === 'server') serve(Number(port), target);
else if (target !== undefined && role === 'client') dial(Number(port), target);
else console.error('usage: tcp-tunnel.ts server PORT HOST:PORT | client PORT URL');
