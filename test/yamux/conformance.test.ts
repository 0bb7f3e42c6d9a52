import { describeSocket } from '../conformance/describe-socket.ts';
import type { Features } from '../conformance/subject.ts';
import { memoryPair, overAdapter, streamDialler, streamPair } from './pairs.ts';

const inMemory: Features = {
  halfClose: true,
  cutIsReset: true,
  close: true,
  asyncDispose: true,
  warnsOfManyCallers: false,
  signal: true,
  addresses: false,
  sendsEarly: true,
  mostBuffered: 1024 * 1024,
};

describeSocket(
  'a yamux stream in memory, opened by the client',
  (options) => streamPair(options, memoryPair, 'client'),
  inMemory,
  streamDialler,
);
describeSocket(
  'a yamux stream in memory, opened by the server',
  (options) => streamPair(options, memoryPair, 'server'),
  inMemory,
);
describeSocket(
  'a yamux stream over the adapter, opened by the client',
  (options) => streamPair(options, overAdapter, 'client'),
  { ...inMemory, addresses: true },
);
describeSocket(
  'a yamux stream over the adapter, opened by the server',
  (options) => streamPair(options, overAdapter, 'server'),
  { ...inMemory, addresses: true },
);
