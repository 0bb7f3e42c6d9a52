import type { IncomingMessage } from 'node:http';

import type { Accepted, Authenticate, Refusal } from 'ws-conn-adapter';

import { FORBIDDEN, NOT_FOUND, TOO_MANY_REQUESTS, UNAUTHORIZED } from '../console/codes.ts';
import { quoted } from '../console/escape.ts';
import { PROBE_PROTOCOL } from '../dial/probe.ts';
import { offeredToken } from '../dial/token.ts';
import type { Target, Targets } from '../target/targets.ts';
import { MUX_WITH_HEADERS, STREAM_WITH_HEADER } from '../tunnel/stream-header.ts';
import { addressKey, clientOf } from './client-address.ts';
import { BUSY, type CheckToken, type Grant } from '../token/grant.ts';
import { SlowRefusals } from './slow-refusals.ts';
import { identityOf, whoIs } from './who.ts';

/** What a client that was let in may use. */
export interface Admitted extends Grant {
  /** Target of its URL; without one it names targets in its streams, or uses none. */
  readonly target: Target | undefined;
  /** Who it is, where it has said so: name of its token, subject of its certificate. */
  readonly who: string | undefined;
}

/** What decides on handshakes; it may be replaced while the server runs. */
export interface AdmissionRules {
  readonly targets: Targets;
  /** Path below which the targets with a name are, and at which the one without is. */
  readonly path: string | undefined;
  /** Says what a token opens; without it none is required. */
  readonly checkToken: (() => CheckToken) | undefined;
}

/** Protocols of clients that need no target in their URL. */
const NAME_TARGETS_LATER = new Set([MUX_WITH_HEADERS, STREAM_WITH_HEADER, PROBE_PROTOCOL]);

/** Time in s after which a token may be tried again that could not be checked. */
const RETRY_CHECK = 1;

/** Decides on each handshake: by its path, then by its token. */
export class Admission {
  #rules: AdmissionRules;
  readonly #refusals: SlowRefusals;
  readonly #admitted = new WeakMap<IncomingMessage, Admitted>();
  readonly #reasons = new WeakMap<IncomingMessage, string>();

  /** Is called with a request whose client hung up before it was told that its token is wrong. */
  onHungUp: (request: IncomingMessage) => void = () => undefined;

  /** @param refusals - what answers wrong tokens, ever more slowly */
  constructor(rules: AdmissionRules, refusals = new SlowRefusals(() => Infinity)) {
    this.#rules = rules;
    this.#refusals = refusals;
  }

  /** Decides by other rules from now on. */
  set rules(rules: AdmissionRules) {
    this.#rules = rules;
  }

  /** The targets that there are now. */
  get targets(): Targets {
    return this.#rules.targets;
  }

  /** For the library: decides on a handshake. */
  readonly authenticate: Authenticate = async (request): Promise<true | Accepted | Refusal> => {
    // Those that wait must not take the last places.
    this.#refusals.makeRoom();
    const { checkToken } = this.#rules;
    const route = routeOf(request, this.#rules);
    if (!route) return { status: NOT_FOUND };
    const address = addressKey(clientOf(request));
    const { authorization } = request.headers;
    const grant = checkToken ? await checkToken()(authorization, address) : {};
    if (grant === BUSY) {
      return this.#putOff(request, 'too many tokens are being checked', RETRY_CHECK);
    }
    if (!grant) return this.#refuse(request, address);
    const { target } = route;
    // Who names targets in its streams is checked there.
    if (target && !opens(grant, target) && !namesTargetsLater(request)) {
      const text = notOpened(grant, target);
      this.#reasons.set(request, text);
      return { status: FORBIDDEN, text };
    }
    this.#admitted.set(request, { ...grant, target, who: whoIs(request, grant) });
    const identity = identityOf(request, grant);
    return identity === undefined ? true : { identity };
  };

  /** Returns what the client of a handshake may use that was let in. */
  of(request: IncomingMessage): Admitted {
    const admitted = this.#admitted.get(request);
    if (!admitted) throw new Error('this handshake was not let in');
    return admitted;
  }

  /** Returns why a handshake was refused here, where there is more to say than its status. */
  reasonOf(request: IncomingMessage): string | undefined {
    return this.#reasons.get(request);
  }

  /** Puts off refusals that wait where others need their places. */
  makeRoom(): void {
    this.#refusals.makeRoom();
  }

  /** Refuses a token, after a time that grows with what came from its address before. */
  async #refuse(request: IncomingMessage, address: string): Promise<Refusal> {
    const { socket, headers } = request;
    const wrong = offeredToken(headers.authorization) !== undefined;
    const text = wrong ? 'the token is wrong' : 'there is no token: send it with --token-file';
    this.#reasons.set(request, wrong ? 'wrong token' : 'no token');
    const gone = new AbortController();
    const hangUp = (): void => {
      gone.abort();
    };
    socket.once('end', hangUp);
    socket.once('close', hangUp);
    const outcome = await this.#refusals.wait(address, gone.signal);
    socket.off('end', hangUp);
    socket.off('close', hangUp);
    if (outcome === 'gone') this.onHungUp(request);
    else if (outcome !== 'answer') {
      return this.#putOff(request, 'too many wrong tokens came from there', outcome.retryAfter);
    }
    const challenge = 'Bearer realm="wsconn"';
    return { status: UNAUTHORIZED, text, headers: { 'WWW-Authenticate': challenge } };
  }

  #putOff(request: IncomingMessage, reason: string, seconds: number): Refusal {
    this.#reasons.set(request, reason);
    const text = `${reason}: try again in ${String(seconds)} s`;
    return { status: TOO_MANY_REQUESTS, text, headers: { 'Retry-After': String(seconds) } };
  }
}

/** Returns whether a client may use a target. */
export function opens({ targets }: Grant, { name }: Target): boolean {
  return targets === undefined || targets.has(name);
}

/** Says that a token does not open a target. */
export function notOpened(grant: Grant, { name }: Target): string {
  const token = grant.name === undefined ? 'the token' : `the token ${quoted(grant.name)}`;
  return `${token} does not open ${name === '' ? 'the target without a name' : `the target ${quoted(name)}`}`;
}

/** Returns whether a client may do without a target in its URL. */
function namesTargetsLater({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  return offered.some((name) => NAME_TARGETS_LATER.has(name));
}

/** Returns where a request goes to; undefined where there is nothing. */
function routeOf(
  request: IncomingMessage,
  { targets, path }: AdmissionRules,
): { readonly target: Target | undefined } | undefined {
  const [asked = ''] = (request.url ?? '/').split('?', 1);
  const { unnamed, names } = targets;
  if (names.length === 0 && path === undefined) return { target: unnamed };
  const base = (path ?? '').replace(/\/$/, '');
  if (asked === (path ?? '/') || asked === base) {
    if (unnamed) return { target: unnamed };
    return namesTargetsLater(request) ? { target: undefined } : undefined;
  }
  if (!asked.startsWith(`${base}/`)) return undefined;
  const target = targets.named(asked.slice(base.length + 1));
  return target && target.name !== '' ? { target } : undefined;
}
