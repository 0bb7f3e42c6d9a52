import { describe, test } from 'vitest';

import { describeSocket, NET_SOCKET, type SocketFeatures } from '../../src/conformance/index.ts';
import { connect, type WsConnAdapter } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { type Pair, type PairOptions, swapped } from '../support/pairs/pairs.ts';
import { connectDevice, destroyAll, startHub } from '../support/pairs/revdial-hub.ts';

const runner = { describe, it: test };
/** Time in ms that a case may take on a busy machine. */
const timeLimit = 25_000;

const features: SocketFeatures = {
  ...NET_SOCKET,
  cuts: true,
  errored: true,
  fewListeners: true,
  close: true,
  asyncDispose: true,
};
const withoutHalves: SocketFeatures = { ...features, halfClose: false, endsBoth: true };

/** Dials a device. `a` is its end of the connection, `b` the end that dial() returned. */
function revdialPair(halfClose: boolean | undefined) {
  return async (options: PairOptions = {}): Promise<Pair<WsConnAdapter>> => {
    const { signal, ...common } = options;
    // Devices that do not offer half close are taken for ones that never send Close, unless the
    // server knows better.
    const hub = await startHub({
      ...common,
      halfClose,
      tcpEndIsEof: halfClose === false ? false : undefined,
    });
    const { dialer, listener } = await connectDevice(hub, {}, (connPath, given) =>
      connect(`${hub.url}${connPath}`, {
        ...common,
        halfClose,
        signal: signal ? AbortSignal.any([signal, given]) : given,
      }),
    );
    const connection = next(listener, 'connection');
    const b = await dialer.dial();
    const [a] = (await connection) as [WsConnAdapter];
    return {
      a,
      b,
      stop: async () => {
        await destroyAll([a, b]);
        await hub.stop();
        await listener.close();
      },
    };
  };
}

// The signal of dial() ends the dial. It has no hold on a connection that was made.
const signal = false;

describeSocket(runner, 'a dialled-back connection, device to server', revdialPair(undefined), {
  features,
});
describeSocket(
  runner,
  'a dialled-back connection, server to device',
  swapped(revdialPair(undefined)),
  { features: { ...features, signal }, timeLimit },
);
describeSocket(
  runner,
  'a dialled-back connection without half close, device to server',
  revdialPair(false),
  { features: withoutHalves, timeLimit },
);
describeSocket(
  runner,
  'a dialled-back connection without half close, server to device',
  swapped(revdialPair(false)),
  { features: { ...withoutHalves, signal }, timeLimit },
);
