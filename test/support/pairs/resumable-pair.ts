import { once } from 'node:events';
import type net from 'node:net';

import {
  connect,
  createServer,
  ResumableSocket,
  type ResumeOptions,
  type WsConnAdapterOptions,
} from '../../../src/index.ts';
import { closeOf } from '../events.ts';
import { CuttingRelay } from '../links/cutting-relay.ts';
import type { Pair } from './pairs.ts';

/** Time in ms between two looks at how much has passed. */
const LOOK = 5;

/** Both ends of a connection that outlives its WebSocket, and the path between them. */
export interface ResumablePair extends Pair<ResumableSocket> {
  /** WebSockets that the client has lost so far. */
  readonly lost: () => number;
  /** Cuts the path each time that so many bytes more have been read at the two ends. */
  cutEvery(bytes: number): void;
  /** Cuts the path once. */
  cut(): void;
  /** Has the connections of now carry nothing any more, without a word to the ends. */
  stall(): void;
  /** Cuts the path, and lets nobody in any more. */
  down(): Promise<void>;
  /** Lets the client in again. */
  up(): Promise<void>;
}

export type ResumablePairOptions = Omit<WsConnAdapterOptions, 'signal'> & {
  readonly resume?: ResumeOptions;
};

/** Makes a client and a server with a relay between them, whose connections can be cut. */
export async function resumablePair(options: ResumablePairOptions = {}): Promise<ResumablePair> {
  const { resume = true, ...common } = options;
  const server = createServer({ ...common, resume });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const target = (server.address() as net.AddressInfo).port;
  let relay = await CuttingRelay.start(target);
  const { port } = relay;
  const a = connect(relay.url, { ...common, resume });
  let lost = 0;
  a.on('disconnect', () => lost++);
  // The server's first message says that the client's first has come: only then it holds the session.
  const confirmed = a.ws && once(a.ws, 'message');
  await once(a, 'connect');
  const [b] = (await accepted) as [unknown];
  if (!(b instanceof ResumableSocket)) throw new Error('the server does not resume');
  await confirmed;
  let cutting: NodeJS.Timeout | undefined;
  return {
    a,
    b,
    lost: () => lost,
    cutEvery: (bytes) => {
      clearInterval(cutting);
      let cutAt = a.bytesRead + b.bytesRead + bytes;
      cutting = setInterval(() => {
        const read = a.bytesRead + b.bytesRead;
        if (read < cutAt || a.ws === null) return;
        cutAt = read + bytes;
        relay.cut();
      }, LOOK);
    },
    cut: () => {
      relay.cut();
    },
    stall: () => {
      relay.stall();
    },
    down: () => relay.stop(),
    up: async () => {
      relay = await CuttingRelay.start(target, port);
    },
    stop: async () => {
      clearInterval(cutting);
      const closed = [closeOf(a), closeOf(b)];
      a.destroy();
      b.destroy();
      await Promise.all(closed);
      await server.close();
      if (relay.listening) await relay.stop();
    },
  };
}
