import { describe, test } from 'vitest';

import { describeSocket, NET_SOCKET, type SocketFeatures } from '../../src/conformance/index.ts';
import { type PairOptions, swapped } from '../support/pairs/pairs.ts';
import { cutPath, resumableDialler, resumablePair, wholePath } from '../support/pairs/resumable.ts';

const runner = { describe, it: test };
/** Time in ms that a case may take on a busy machine. */
const timeLimit = 25_000;

const resumable: SocketFeatures = {
  ...NET_SOCKET,
  cuts: true,
  errored: true,
  fewListeners: true,
  close: true,
  asyncDispose: true,
};

/** The relay that cuts has addresses of its own. */
const overRelay: SocketFeatures = { ...resumable, addresses: false };

const overWholePath = (options?: PairOptions) => resumablePair(options, wholePath);
const overCutPath = (options?: PairOptions) => resumablePair(options, cutPath);

describeSocket(runner, 'a socket that outlives its WebSocket, client to server', overWholePath, {
  features: resumable,
  timeLimit,
  makeDialler: resumableDialler,
});
describeSocket(
  runner,
  'a socket that outlives its WebSocket, server to client',
  swapped(overWholePath),
  { features: { ...resumable, signal: false }, timeLimit },
);
describeSocket(runner, 'over a path that is cut again and again, client to server', overCutPath, {
  features: overRelay,
  timeLimit,
});
describeSocket(
  runner,
  'over a path that is cut again and again, server to client',
  swapped(overCutPath),
  { features: { ...overRelay, signal: false }, timeLimit },
);
