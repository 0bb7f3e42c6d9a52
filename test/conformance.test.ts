import { describe, test } from 'vitest';

import { describeSocket, NET_SOCKET, type SocketFeatures } from '../src/conformance/index.ts';
import {
  adapterDialler,
  adapterPair,
  type PairOptions,
  swapped,
  tcpDialler,
  tcpPair,
} from './support/pairs/pairs.ts';

const runner = { describe, it: test };
/** Time in ms that a case may take on a busy machine. */
const timeLimit = 25_000;

const adapter: SocketFeatures = {
  ...NET_SOCKET,
  cuts: true,
  errored: true,
  fewListeners: true,
  close: true,
  asyncDispose: true,
};
const withoutHalves: SocketFeatures = { ...adapter, halfClose: false, endsBoth: true };

const withHalfClose = (options?: PairOptions) => adapterPair(options);
const withoutHalfClose = (options?: PairOptions) => adapterPair({ ...options, halfClose: false });

describeSocket(runner, 'net.Socket, the control', tcpPair, {
  features: NET_SOCKET,
  timeLimit,
  makeDialler: tcpDialler,
});
describeSocket(runner, 'the adapter with half close, client to server', withHalfClose, {
  features: adapter,
  timeLimit,
  makeDialler: () => adapterDialler(),
});
describeSocket(runner, 'the adapter with half close, server to client', swapped(withHalfClose), {
  features: { ...adapter, signal: false },
  timeLimit,
});
describeSocket(runner, 'the adapter without half close, client to server', withoutHalfClose, {
  features: withoutHalves,
  timeLimit,
  makeDialler: () => adapterDialler({ halfClose: false }),
});
describeSocket(
  runner,
  'the adapter without half close, server to client',
  swapped(withoutHalfClose),
  { features: { ...withoutHalves, signal: false }, timeLimit },
);
