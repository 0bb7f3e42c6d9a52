import type { IncomingMessage } from 'node:http';

import type { Authenticate, Refusal } from 'ws-conn-adapter';

import { FORBIDDEN, NOT_FOUND, UNAUTHORIZED } from '../console/codes.ts';
import { PROBE_PROTOCOL } from '../dial/probe.ts';
import type { Target, Targets } from '../target/targets.ts';
import { MUX_WITH_HEADERS, STREAM_WITH_HEADER } from '../tunnel/stream-header.ts';
import type { CheckToken, Grant } from './auth.ts';

/** What a client that was let in may use. */
export interface Admitted extends Grant {
  /** Target of its URL; without one it names targets in its streams, or uses none. */
  readonly target: Target | undefined;
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

/** Decides on each handshake: by its path, then by its token. */
export class Admission {
  #rules: AdmissionRules;
  readonly #admitted = new WeakMap<IncomingMessage, Admitted>();

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
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
  readonly authenticate: Authenticate = async (request): Promise<true | Refusal> => {
    const { checkToken } = this.#rules;
    const route = routeOf(request, this.#rules);
    if (!route) return { status: NOT_FOUND };
    const grant = checkToken ? await checkToken()(request.headers.authorization) : {};
    if (!grant) {
      return {
        status: UNAUTHORIZED,
        headers: { 'WWW-Authenticate': 'Bearer realm="wsconn"' },
      };
    }
    const { target } = route;
    if (target && !opens(grant, target)) return { status: FORBIDDEN };
    this.#admitted.set(request, { ...grant, target });
    return true;
  };

  /** Returns what the client of a handshake may use that was let in. */
  of(request: IncomingMessage): Admitted {
    const admitted = this.#admitted.get(request);
    if (!admitted) throw new Error('this handshake was not let in');
    return admitted;
  }
}

/** Returns whether a client may use a target. */
export function opens({ targets }: Grant, { name }: Target): boolean {
  return targets === undefined || targets.has(name);
}

/** Returns where a request goes to; undefined where there is nothing. */
function routeOf(
  { url = '/', headers }: IncomingMessage,
  { targets, path }: AdmissionRules,
): { readonly target: Target | undefined } | undefined {
  const [asked = ''] = url.split('?', 1);
  const { unnamed, names } = targets;
  if (names.length === 0 && path === undefined) return { target: unnamed };
  const base = (path ?? '').replace(/\/$/, '');
  if (asked === (path ?? '/') || asked === base) {
    if (unnamed) return { target: unnamed };
    const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    return offered.some((name) => NAME_TARGETS_LATER.has(name)) ? { target: undefined } : undefined;
  }
  if (!asked.startsWith(`${base}/`)) return undefined;
  const target = targets.named(asked.slice(base.length + 1));
  return target && target.name !== '' ? { target } : undefined;
}
