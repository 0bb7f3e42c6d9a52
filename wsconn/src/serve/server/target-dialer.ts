import type { IncomingMessage } from 'node:http';
import type net from 'node:net';

import { type Admission, type Admitted, notOpened, opens } from '../../admit/admission.ts';
import { clientOf } from '../../admit/client-address.ts';
import { quoted } from '../../console/escape.ts';
import { type HostPort, showHostPort } from '../../console/place.ts';
import type { AllowConnect } from '../../target/allow-connect.ts';
import { addressUnreachable, dialTarget, TargetError } from '../../target/dial-target.ts';
import type { Way } from '../../target/forward-to-target.ts';
import { type Ends, proxyHeader } from '../../target/proxy-header.ts';
import type { Target } from '../../target/targets.ts';
import type { DialWish } from '../../target/ways.ts';
import type { GiveUp } from '../../tunnel/give-up.ts';

/** A client that was let in. */
export interface Client extends Admitted {
  readonly request: IncomingMessage;
}

/** Stands for the target of connections whose client chooses an address: no target has that name. */
export const CHOSEN_BY_CLIENT = '*';

/**
 * Returns what dials for a client that was let in.
 * @param chosen - is called with the name of the target once it is known, and with the address that
 * the client wants where it chooses one
 */
export type TargetDialer = (
  client: Client,
  chosen: (name: string, address?: string) => void,
) => {
  /** Dials the target of its URL. */
  readonly dial: Way['dial'];
  /** Dials what the header of a stream asks for. */
  readonly dialWish: DialWish;
};

/** What else decides how targets are dialled. */
export interface TargetDialerOptions {
  /** Addresses that clients may choose. */
  readonly allowConnect: AllowConnect;
  /** Whether it tells targets who the client is. */
  readonly proxyProtocol: boolean;
}

/** Makes what dials the targets of a server, and the addresses that clients may choose. */
export function makeTargetDialer(
  admission: Admission,
  { allowConnect, proxyProtocol }: TargetDialerOptions,
): TargetDialer {
  return (client, chosen) => {
    const dial = async (name: string, nobodyWaits: GiveUp): Promise<net.Socket> => {
      const target = targetOf(name, client, admission);
      chosen(target.name);
      const socket = await dialTarget(target.place, nobodyWaits);
      if (proxyProtocol) socket.write(proxyHeader(endsOf(client.request)));
      return socket;
    };
    const dialAddress = (address: HostPort, nobodyWaits: GiveUp): Promise<net.Socket> => {
      chosen(CHOSEN_BY_CLIENT, showHostPort(address));
      checkMayChoose(client, allowConnect);
      return dialTarget(allowConnect.check(address), nobodyWaits, addressUnreachable);
    };
    return {
      dial: async (nobodyWaits) => dial('', nobodyWaits),
      dialWish: async (wish, nobodyWaits) =>
        'address' in wish ? dialAddress(wish.address, nobodyWaits) : dial(wish.name, nobodyWaits),
    };
  };
}

/** Throws a TargetError where a client must not choose addresses at all. */
function checkMayChoose({ targets }: Client, allowed: AllowConnect): void {
  if (allowed.isEmpty) {
    throw refusal('EACCES', 'this server connects to no address that clients choose');
  }
  if (targets) throw refusal('EACCES', 'the token opens targets by name, and no other address');
}

/** Returns the target that a client wants; throws a TargetError where he must not have it. */
function targetOf(name: string, client: Client, { targets }: Admission): Target {
  const target = name === '' ? (client.target ?? targets.unnamed) : targets.named(name);
  if (!target) {
    const which = name === '' ? 'without a name' : quoted(name);
    throw refusal('ENOENT', `this server has no target ${which}`);
  }
  if (opens(client, target)) return target;
  throw refusal('EACCES', notOpened(client, target));
}

function refusal(code: string, reason: string): TargetError {
  return new TargetError(code, reason, reason);
}

/** Returns both ends of a client's connection; undefined where they have no address. */
function endsOf(request: IncomingMessage): Ends | undefined {
  const { localAddress, localPort } = request.socket;
  const from = clientOf(request);
  if (!from || localAddress === undefined || localPort === undefined) return undefined;
  return { from, to: { host: localAddress, port: localPort } };
}
