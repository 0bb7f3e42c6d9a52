// Carries 50 TCP connections over one WebSocket. Each is a yamux stream of its own: its half close or
// reset does not touch the others. All parties are in this program.
//
//   node --import tsx examples/yamux-tunnel.ts
//
// It prints what became of the connections:
//
//   50 connections over 1 WebSocket: 49 answered, 1 reset, 0 still open
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { connect, createServer, join } from 'ws-conn-adapter';
import { YamuxSession } from 'ws-conn-adapter/yamux';

// join() passes a failure on to the other side. Nobody else needs it.
const ignore = (): void => undefined;

async function portOf(server: net.Server | ReturnType<typeof createServer>): Promise<number> {
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

// The target of the connections: it answers when a request has ended, and resets request 13.
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
await session.ping(); // What the far end sent before has arrived after it.
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
