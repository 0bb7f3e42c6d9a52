import type { IncomingMessage } from 'node:http';
import type net from 'node:net';

import { type Admission, type Admitted, opens } from '../admit/admission.ts';
import { quoted } from '../console/escape.ts';
import type { HostPort } from '../console/place.ts';
import type { Wish } from '../tunnel/stream-header.ts';
import { dialTarget, TargetError } from '../target/dial-target.ts';
import type { Way } from '../target/forward-to-target.ts';
import { type Ends, proxyHeader } from '../target/proxy-header.ts';
import type { Target } from '../target/targets.ts';
import type { DialWish } from '../target/ways.ts';

/** A client that was let in. */
export interface Client extends Admitted {
  readonly request: IncomingMessage;
}

/**
 * Returns what dials for a client that was let in.
 * @param chosen - is called with the name of the target, once it is known
 */
export type TargetDialer = (
  client: Client,
  chosen: (name: string) => void,
) => {
  /** Dials the target of its URL. */
  readonly dial: Way['dial'];
  /** Dials what the header of a stream asks for. */
  readonly dialWish: DialWish;
};

/**
 * Makes what dials the targets of a server.
 * @param proxyProtocol - whether it tells targets who the client is
 */
export function makeTargetDialer(admission: Admission, proxyProtocol: boolean): TargetDialer {
  return (client, chosen) => {
    const dial = async (target: Target, signal: AbortSignal): Promise<net.Socket> => {
      chosen(target.name);
      const socket = await dialTarget(target.place, signal);
      if (proxyProtocol) socket.write(proxyHeader(endsOf(client.request)));
      return socket;
    };
    return {
      dial: async (signal) => dial(targetOf({ name: '' }, client, admission), signal),
      dialWish: async (wish, signal) => dial(targetOf(wish, client, admission), signal),
    };
  };
}

/** Returns the target that a client wants; throws a TargetError where he must not have it. */
function targetOf(wish: Wish, client: Client, { targets }: Admission): Target {
  if ('address' in wish) {
    throw refusal('EACCES', 'this server connects to no address that clients choose');
  }
  const target = wish.name === '' ? (client.target ?? targets.unnamed) : targets.named(wish.name);
  if (!target) {
    const which = wish.name === '' ? 'without a name' : quoted(wish.name);
    throw refusal('ENOENT', `this server has no target ${which}`);
  }
  if (opens(client, target)) return target;
  throw refusal('EACCES', `the token does not open the target ${quoted(target.name)}`);
}

function refusal(code: string, reason: string): TargetError {
  return new TargetError(code, reason, reason);
}

/** Returns both ends of a client's connection; undefined where they have no address. */
function endsOf(request: IncomingMessage): Ends | undefined {
  const { localAddress, localPort } = request.socket;
  const from = clientEndOf(request);
  if (!from || localAddress === undefined || localPort === undefined) return undefined;
  return { from, to: { host: localAddress, port: localPort } };
}

/** Returns the client's end of its connection. */
function clientEndOf({ socket }: IncomingMessage): HostPort | undefined {
  const { remoteAddress: host, remotePort: port } = socket;
  return host === undefined || port === undefined ? undefined : { host, port };
}
