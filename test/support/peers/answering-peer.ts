import { Worker } from 'node:worker_threads';

import { onTestFinished } from 'vitest';

import { next } from '../events.ts';

/**
 * Programs for a thread: each listens, reports its port, and answers pings whatever the test's own
 * event loop does.
 */
const PROGRAMS = {
  ws: `
    const { WebSocketServer } = require('ws');
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => tell(server.address().port));
    server.on('connection', (ws) => ws.on('error', () => undefined));
  `,
  // The answer to a ping of yamux is the same frame with the flag ACK for SYN.
  yamux: `
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (frame) => {
        if (frame[1] !== 2) return;
        frame[3] = 2;
        socket.write(frame);
      });
    });
    server.listen(0, '127.0.0.1', () => tell(server.address().port));
  `,
};

/** Starts a peer in a thread of its own, until the end of the test. Returns its port. */
export async function answeringPeer(wire: keyof typeof PROGRAMS): Promise<number> {
  const telling =
    "const tell = (port) => require('node:worker_threads').parentPort.postMessage(port);";
  const worker = new Worker(telling + PROGRAMS[wire], { eval: true });
  onTestFinished(async () => {
    await worker.terminate();
  });
  return (await next(worker, 'message'))[0] as number;
}
