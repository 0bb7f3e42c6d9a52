import { describe, test } from 'vitest';

import { describeSocket, NET_SOCKET, type SocketFeatures } from '../../src/conformance/index.ts';
import { memoryPair, overAdapter, streamDialler, streamPair } from './pairs.ts';

const runner = { describe, it: test };
const mostBuffered = 1024 * 1024;
/** Time in ms that a case may take on a busy machine. */
const timeLimit = 25_000;

const inMemory: SocketFeatures = {
  ...NET_SOCKET,
  cuts: true,
  errored: true,
  fewListeners: true,
  close: true,
  asyncDispose: true,
  addresses: false,
  // A stream is sent what was written before its peer has answered.
  connectFirst: false,
};
const overSocket: SocketFeatures = { ...inMemory, addresses: true };

describeSocket(
  runner,
  'a yamux stream in memory, opened by the client',
  (options) => streamPair(options, memoryPair, 'client'),
  { features: inMemory, mostBuffered, timeLimit, makeDialler: streamDialler },
);
describeSocket(
  runner,
  'a yamux stream in memory, opened by the server',
  (options) => streamPair(options, memoryPair, 'server'),
  { features: inMemory, mostBuffered, timeLimit },
);
describeSocket(
  runner,
  'a yamux stream over the adapter, opened by the client',
  (options) => streamPair(options, overAdapter, 'client'),
  { features: overSocket, mostBuffered, timeLimit },
);
describeSocket(
  runner,
  'a yamux stream over the adapter, opened by the server',
  (options) => streamPair(options, overAdapter, 'server'),
  { features: overSocket, mostBuffered, timeLimit },
);
