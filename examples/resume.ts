// A connection that outlives its WebSocket: 64 MiB go to an echo server and back, over a path that is
// cut each time that 8 MiB more have come back. All parties are in this program.
//
//   node --import tsx examples/resume.ts
//
// It prints each cut, and what became of the bytes:
//
//   8 MiB: the path is gone (ECONNRESET); it is back after 9 ms
//   64 MiB there and back over 8 WebSockets: the SHA-256 is the same
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { connect, createServer } from 'ws-conn-adapter';

const MIB = 1024 * 1024;
const TOTAL = 64 * MIB;

const server = createServer({ resume: true }, (socket) => socket.pipe(socket));
await once(server.listen(0, '127.0.0.1'), 'listening');

// The path: what goes through it can be cut.
const open = new Set<net.Socket>();
const path = net.createServer((from) => {
  const to = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (const socket of [from, to]) {
    open.add(socket.on('error', () => undefined));
    socket.on('close', () => {
      from.destroy();
      to.destroy();
      open.delete(socket);
    });
  }
  from.pipe(to).pipe(from);
});
await once(path.listen(0, '127.0.0.1'), 'listening');

const { port } = path.address() as AddressInfo;
const socket = connect(`ws://127.0.0.1:${String(port)}`, { resume: true, keepalive: true });
let [bytes, webSockets, why] = [0, 1, ''];
socket.on('disconnect', ({ code }) => (why = code));
socket.on('reconnect', (_count, ms) => {
  webSockets++;
  const at = Math.floor(bytes / MIB);
  console.log(`${String(at)} MiB: the path is gone (${why}); it is back after ${String(ms)} ms`);
});
const [sent, received] = [createHash('sha256'), createHash('sha256')];
socket.on('data', (chunk: Buffer) => {
  received.update(chunk);
  const before = bytes;
  bytes += chunk.length;
  if (Math.floor(bytes / (8 * MIB)) > Math.floor(before / (8 * MIB)) && bytes < TOTAL)
    for (const one of open) one.destroy();
});
for (let left = TOTAL; left > 0; left -= MIB) {
  const block = randomBytes(MIB);
  sent.update(block);
  if (!socket.write(block)) await once(socket, 'drain');
}
socket.end();
await once(socket, 'close');
const same = sent.digest('hex') === received.digest('hex') ? 'the same' : 'NOT the same';
console.log(
  `${String(bytes / MIB)} MiB there and back over ${String(webSockets)} WebSockets: the SHA-256 is ${same}`,
);
await server.close();
path.close();
