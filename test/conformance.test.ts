import { describeSocket } from './conformance/describe-socket.ts';
import type { Features } from './conformance/subject.ts';
import {
  adapterDialler,
  adapterPair,
  type PairOptions,
  swapped,
  tcpDialler,
  tcpPair,
} from './support/pairs/pairs.ts';

const MIB = 1024 * 1024;

const tcp: Features = {
  halfClose: true,
  cutIsReset: false,
  close: false,
  asyncDispose: false,
  signal: true,
  addresses: true,
  warnsOfManyCallers: true,
  lostWritesSetErrored: Number(process.versions.node.split('.')[0]) >= 22,
  mostBuffered: 32 * MIB,
};

const adapter: Features = {
  ...tcp,
  cutIsReset: true,
  close: true,
  asyncDispose: true,
  warnsOfManyCallers: false,
  lostWritesSetErrored: false,
};

const withHalfClose = (options?: PairOptions) => adapterPair(options);
const withoutHalfClose = (options?: PairOptions) => adapterPair({ ...options, halfClose: false });

describeSocket('net.Socket, the control', tcpPair, tcp, tcpDialler);
describeSocket('the adapter with half close, client to server', withHalfClose, adapter, () =>
  adapterDialler(),
);
describeSocket('the adapter with half close, server to client', swapped(withHalfClose), {
  ...adapter,
  signal: false,
});
describeSocket(
  'the adapter without half close, client to server',
  withoutHalfClose,
  { ...adapter, halfClose: false },
  () => adapterDialler({ halfClose: false }),
);
describeSocket('the adapter without half close, server to client', swapped(withoutHalfClose), {
  ...adapter,
  halfClose: false,
  signal: false,
});
