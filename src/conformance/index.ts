export { describeSocket, type TestRunner } from './describe-socket.ts';
export {
  checkSocket,
  type CheckOptions,
  type PromiseReport,
  type SocketReport,
} from './check-socket.ts';
export type { ConformanceOptions } from './options.ts';
export { NET_SOCKET, type SocketFeatures } from './frame/features.ts';
export type {
  MakeDialler,
  MakePair,
  PairOptions,
  SocketDialler,
  SocketPair,
} from './frame/subject.ts';
