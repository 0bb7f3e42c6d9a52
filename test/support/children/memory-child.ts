/**
 * A process whose memory a test measures: it writes, or reads, over one adapter to the WebSocket
 * server at the url that it is given, and prints a line of JSON. Run with tsx.
 */
import { connect } from '../../../src/index.ts';

const [url = '', task] = process.argv.slice(2);
const TOTAL = 30 * 1024 * 1024;
const socket = connect(url);
socket.on('error', () => undefined);
await new Promise((resolve) => socket.once('connect', resolve));

/** Bytes held outside of the JavaScript heap, once nothing moves any more. */
async function settled(): Promise<number> {
  for (let before = -1, same = 0; same < 20;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = socket.bytesWritten - socket.writableLength + socket.bytesRead;
    same = now === before ? same + 1 : 0;
    before = now;
  }
  // The memory behind a Buffer is given back in the background, some time after the Buffer.
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
}

const all = task === 'one write' ? Buffer.alloc(TOTAL) : Buffer.alloc(16_384);
const base = await settled();
let written = 0;
if (task === 'one write') {
  socket.write(all);
  written = TOTAL;
} else if (task === 'writes') {
  const write = (): void => {
    while (written < TOTAL) {
      written += all.length;
      if (!socket.write(Buffer.from(all))) {
        socket.once('drain', write);
        return;
      }
    }
  };
  write();
} else {
  socket.read(0);
}
const held = (await settled()) - base;
const { readableLength, writableLength, ws } = socket;
const figures = {
  held,
  queued: ws.bufferedAmount,
  unread: readableLength,
  unsent: writableLength,
  written,
};
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
