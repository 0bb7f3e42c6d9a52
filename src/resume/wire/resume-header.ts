import type { CloseSaid, Progress } from './message.ts';

/**
 * Header of the handshake, in both directions, by which a connection is made to outlive its
 * WebSocket, and finds the way back: `name` and `name=value`, separated by semicolons.
 * docs/resume.md has all of it.
 */
export const RESUME_HEADER = 'WsConn-Resume';

/** Version of the protocol. What names another is not understood, and so not answered. */
const VERSION = '1';

/** A new connection that may be resumed: the client takes so many bytes unread. */
export interface NewRequest {
  readonly window: number;
}

/** A client that comes back: to which session, and how far it has got. */
export interface ResumeRequest {
  readonly id: Buffer;
  readonly received: number;
}

/** The server's answer to a new connection. */
export interface Grant {
  readonly id: Buffer;
  readonly window: number;
  /** Time in ms that the server holds it without a WebSocket. */
  readonly hold: number;
}

/** Why a session is not resumed. */
export type RefusalReason =
  | { readonly reason: 'unknown' | 'unbegun' | 'gone' | 'unsent' }
  | { readonly reason: 'finished'; readonly received: number }
  | ({ readonly reason: 'aborted' } & { readonly close: CloseSaid });

type Fields = ReadonlyMap<string, string>;

/** Reads the fields of the header; null where it is missing or of another version. */
function readFields(value: string | string[] | undefined): Fields | null {
  if (typeof value !== 'string') return null;
  const fields = new Map<string, string>();
  for (const part of value.split(';')) {
    const [name = '', ...rest] = part.trim().split('=');
    fields.set(name.toLowerCase(), rest.join('='));
  }
  return fields.get('v') === VERSION ? fields : null;
}

function readNumber(fields: Fields, name: string): number | undefined {
  const text = fields.get(name) ?? '';
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function readId(fields: Fields): Buffer | undefined {
  const text = fields.get('id') ?? '';
  return /^[0-9a-f]{32}$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

export function formatNewRequest({ window }: NewRequest): string {
  return `v=${VERSION}; new; window=${String(window)}`;
}

export function formatResumeRequest({ id, received }: ResumeRequest): string {
  return `v=${VERSION}; id=${id.toString('hex')}; received=${String(received)}`;
}

/** Reads what a client asks for; null where it asks for nothing that is understood. */
export function readRequest(
  value: string | string[] | undefined,
): NewRequest | ResumeRequest | null {
  const fields = readFields(value);
  if (!fields) return null;
  if (fields.has('new')) {
    const window = readNumber(fields, 'window');
    return window === undefined ? null : { window };
  }
  const id = readId(fields);
  const received = readNumber(fields, 'received');
  return id === undefined || received === undefined ? null : { id, received };
}

export function formatGrant({ id, window, hold }: Grant): string {
  return `v=${VERSION}; id=${id.toString('hex')}; window=${String(window)}; hold=${String(hold)}`;
}

/** Reads the answer to a new connection; null where the server does not resume. */
export function readGrant(value: string | string[] | undefined): Grant | null {
  const fields = readFields(value);
  const id = fields ? readId(fields) : undefined;
  if (!fields || !id) return null;
  const window = readNumber(fields, 'window');
  const hold = readNumber(fields, 'hold');
  return window === undefined || hold === undefined ? null : { id, window, hold };
}

export function formatAccept({ received, consumed }: Progress): string {
  return `v=${VERSION}; received=${String(received)}; consumed=${String(consumed)}`;
}

/** Reads the answer to a client that came back; null where there is none. */
export function readAccept(value: string | string[] | undefined): Progress | null {
  const fields = readFields(value);
  if (!fields) return null;
  const received = readNumber(fields, 'received');
  const consumed = readNumber(fields, 'consumed');
  if (received === undefined || consumed === undefined || consumed > received) return null;
  return { received, consumed };
}

export function formatRefusal(refusal: RefusalReason): string {
  const { reason } = refusal;
  if (reason === 'finished') return `${reason}; received=${String(refusal.received)}`;
  if (reason !== 'aborted') return reason;
  const { code, reason: text } = refusal.close;
  return `${reason}; code=${String(code)}; text=${encodeURIComponent(text)}`;
}

/** Reads why a session is not resumed; null where it is no answer of this protocol. */
export function readRefusalReason(value: string | string[] | undefined): RefusalReason | null {
  if (typeof value !== 'string') return null;
  const [reason = ''] = value.split(';', 1);
  const fields = readFields(`v=${VERSION};${value}`);
  if (!fields) return null;
  switch (reason) {
    case 'unknown':
    case 'unbegun':
    case 'gone':
    case 'unsent':
      return { reason };
    case 'finished': {
      const received = readNumber(fields, 'received');
      return received === undefined ? null : { reason, received };
    }
    case 'aborted': {
      const code = readNumber(fields, 'code');
      const text = readText(fields.get('text') ?? '');
      return code === undefined ? null : { reason, close: { code, reason: text } };
    }
    default:
      return null;
  }
}

function readText(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // It is for people alone: what cannot be read is shown as it came.
    return encoded;
  }
}
