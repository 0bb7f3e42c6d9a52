import type { IncomingMessage } from 'node:http';
import type net from 'node:net';

import { type Admission, type Admitted, notOpened, opens } from '../admit/admission.ts';
import { quoted } from '../console/escape.ts';
import type { Wish } from '../tunnel/stream-header.ts';
import { dialTarget, TargetError } from '../target/dial-target.ts';
import type { Way } from '../target/forward-to-target.ts';
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

/** Makes what dials the targets of a server. */
export function makeTargetDialer(admission: Admission): TargetDialer {
  return (client, chosen) => {
    const dial = (target: Target, signal: AbortSignal): Promise<net.Socket> => {
      chosen(target.name);
      return dialTarget(target.place, signal);
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
  throw refusal('EACCES', notOpened(client, target));
}

function refusal(code: string, reason: string): TargetError {
  return new TargetError(code, reason, reason);
}
