import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import type { Grant } from '../token/grant.ts';

/**
 * Returns who a client is, for the log: the name of its token, and the subject of its certificate
 * where the server has checked one, as in `laptop, CN=alice`. A token's name holds no comma and no
 * equals sign. Undefined where nobody knows.
 */
export function whoIs(request: IncomingMessage, { name }: Grant = {}): string | undefined {
  const known = [name, subjectOf(request)].filter((each) => each !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}

/** Returns the name in a client's certificate: CN, or the whole subject where it has none. */
function subjectOf({ socket }: IncomingMessage): string | undefined {
  const { authorized, getPeerCertificate } = socket as Partial<TLSSocket>;
  if (authorized !== true || !getPeerCertificate) return undefined;
  const { subject } = (socket as TLSSocket).getPeerCertificate() as {
    readonly subject?: Readonly<Record<string, string | string[]>>;
  };
  if (!subject) return undefined;
  const all = Object.entries(subject).map(([key, value]) => `${key}=${String(value)}`);
  return all.find((each) => each.startsWith('CN=')) ?? all.join(', ');
}
