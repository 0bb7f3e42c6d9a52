import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { WebSocket, WebSocketServer } from 'ws';

import type { BenchStream, Contestant } from './contestant.ts';
import { HOST, portOf } from './transports.ts';

/** Bytes that may wait in ws before the writer does. */
const MOST_BUFFERED = 262_144;

/** The least code on ws that has back pressure. */
function ofWebSocket(ws: WebSocket): BenchStream {
  let drained = (): void => undefined;
  let waiting = false;
  const sent = (): void => {
    if (!waiting || ws.bufferedAmount >= MOST_BUFFERED) return;
    waiting = false;
    drained();
  };
  const write = (chunk: Buffer): boolean => {
    ws.send(chunk, sent);
    waiting = ws.bufferedAmount >= MOST_BUFFERED;
    return !waiting;
  };
  return {
    write,
    onDrain(listener) {
      drained = listener;
    },
    onData(listener) {
      ws.on('message', (data: Buffer) => {
        listener(data.length, data);
      });
    },
    forward(source: Duplex) {
      drained = () => source.resume();
      source.on('data', (chunk: Buffer) => {
        if (!write(chunk)) source.pause();
      });
      ws.on('message', (data: Buffer) => source.write(data));
    },
  };
}

export const rawWs: Contestant = {
  name: 'raw ws',
  listen(onStream) {
    const server = new WebSocketServer({ port: 0, host: HOST });
    server.on('connection', (ws) => {
      ws.on('error', () => undefined);
      onStream(ofWebSocket(ws));
    });
    return portOf(server);
  },
  async connect(port) {
    const ws = new WebSocket(`ws://${HOST}:${String(port)}`, { perMessageDeflate: false });
    ws.on('error', () => undefined);
    await once(ws, 'open');
    return {
      open: () => Promise.resolve(ofWebSocket(ws)),
      async end() {
        ws.close();
        await once(ws, 'close');
      },
      close() {
        ws.terminate();
      },
    };
  },
};
