import { Duplex } from 'node:stream';

import { describeSocket, NET_SOCKET, type TestRunner } from '../../../src/conformance/index.ts';
import { adapterDialler, adapterPair, tcpDialler, tcpPair } from '../../support/pairs/pairs.ts';

/** Makes an end that takes what is written and never calls back. */
function deaf(): Duplex {
  return new Duplex({ read: () => undefined, write: () => undefined });
}

/** Describes what the variable SUBJECT names: `sockets`, or `deaf` ends that keep no promise. */
export function describeSubject(runner: TestRunner): void {
  if (process.env['SUBJECT'] === 'deaf') {
    describeSocket(runner, 'a deaf pair', () => ({ a: deaf(), b: deaf() }), { timeLimit: 30 });
    return;
  }
  const timeLimit = 25_000;
  describeSocket(runner, 'net.Socket', tcpPair, {
    features: NET_SOCKET,
    makeDialler: tcpDialler,
    timeLimit,
  });
  describeSocket(runner, 'the adapter', (options) => adapterPair(options), {
    features: { ...NET_SOCKET, cuts: true, errored: true, close: true, asyncDispose: true },
    makeDialler: () => adapterDialler(),
    timeLimit,
  });
}
