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

/**
 * Returns by what a client is known again that resumes a connection: the name of its token and the
 * whole subject of its certificate, which stay when either is renewed. Undefined where it has
 * neither.
 */
export function identityOf(request: IncomingMessage, { name }: Grant = {}): string | undefined {
  const subject = fieldsOf(request);
  if (name === undefined && subject === undefined) return undefined;
  return JSON.stringify([name ?? null, subject ?? null]);
}

/** Returns the name in a client's certificate: CN, or the whole subject where it has none. */
function subjectOf(request: IncomingMessage): string | undefined {
  const all = fieldsOf(request)?.map(([key, value]) => `${key}=${value}`);
  return all?.find((each) => each.startsWith('CN=')) ?? all?.join(', ');
}

/** Returns the fields of the subject of a client's certificate, in their order. */
function fieldsOf({ socket }: IncomingMessage): (readonly [string, string])[] | undefined {
  const { authorized, getPeerCertificate } = socket as Partial<TLSSocket>;
  if (authorized !== true || !getPeerCertificate) return undefined;
  const { subject } = (socket as TLSSocket).getPeerCertificate() as {
    readonly subject?: Readonly<Record<string, string | string[]>>;
  };
  return subject && Object.entries(subject).map(([key, value]) => [key, String(value)] as const);
}
