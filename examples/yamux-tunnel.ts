// Carries 50 TCP connections over one WebSocket, each as a yamux stream that ends by itself: half
// closes and resets of the one do not touch the others, and the WebSocket stays open. All parties
// are in this one program:
//
//   node --import tsx examples/yamux-tunnel.ts
//
// It prints what the 50 connections got, how many streams are open then, and how many WebSockets
// there were:
//
//   50 connections over 1 WebSocket: 49 answered, 1 reset, 0 still open
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { connect, createServer, join } from '../src/index.ts';
import { YamuxSession } from '../src/yamux/index.ts';

const ignore = (): void => undefined; // join() has reset the other side: that is how a failure is passed on.

async function portOf(server: net.Server | ReturnType<typeof createServer>): Promise<number> {
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

// Where the connections go: a service that answers when the request has ended, and resets
// connection 13.
const target = net.createServer({ allowHalfOpen: true }, (socket) => {
  let name = '';
  socket.setEncoding('utf8').on('data', (part: string) => (name += part));
  socket.on('end', () => (name === '13' ? socket.resetAndDestroy() : socket.end(`hello, ${name}`)));
});
const targetPort = await portOf(target.listen(0, '127.0.0.1'));

// The far end of the WebSocket: each stream becomes a TCP connection.
let webSockets = 0;
const gateway = createServer({ keepalive: true }, (webSocket) => {
  webSockets++;
  const streams = new YamuxSession(webSocket, { role: 'server', allowHalfOpen: true });
  streams.on('error', ignore).on('stream', (stream) => {
    join(stream, net.connect(targetPort, '127.0.0.1')).catch(ignore);
  });
}).listen(0, '127.0.0.1');

// The near end: each TCP connection becomes a stream.
const session = new YamuxSession(connect(`ws://127.0.0.1:${String(await portOf(gateway))}`), {
  role: 'client',
});
const entry = net.createServer({ allowHalfOpen: true }, (socket) => {
  join(socket, session.open({ allowHalfOpen: true })).catch(ignore);
});
const entryPort = await portOf(entry.listen(0, '127.0.0.1'));

const answers = Array.from({ length: 50 }, (_, i) =>
  text(net.connect(entryPort, '127.0.0.1').end(String(i))),
);
const results = await Promise.allSettled(answers);
await session.ping(); // What was still on its way is here after it.
const answered = results.filter(
  (one, i) => one.status === 'fulfilled' && one.value === `hello, ${String(i)}`,
);
const reset = results.length - answered.length;
const opened = `50 connections over ${String(webSockets)} WebSocket`;
console.log(
  `${opened}: ${String(answered.length)} answered, ${String(reset)} reset, ${String(session.numStreams)} still open`,
);
await session.close();
for (const server of [entry, gateway, target]) void server.close();
