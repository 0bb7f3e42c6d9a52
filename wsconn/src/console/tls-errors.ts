import { WsConnError } from 'ws-conn-adapter';

import { BAD_REQUEST } from './codes.ts';

/** An alert by which a server ended TLS. */
export interface TlsAlert {
  readonly meaning: string;
  /** Whether it is about the certificate of the client. */
  readonly ofCertificate: boolean;
}

const ofCertificate = (meaning: string): TlsAlert => ({ meaning, ofCertificate: true });
const ofOther = (meaning: string): TlsAlert => ({ meaning, ofCertificate: false });

/** Alerts by their names in OpenSSL, and by the numbers of RFC 8446, section 6. */
const ALERTS: readonly (readonly [name: string, number: number, alert: TlsAlert])[] = [
  [
    'HANDSHAKE_FAILURE',
    40,
    ofCertificate('the server refused the TLS handshake: it may require --cert and --key'),
  ],
  [
    'BAD_CERTIFICATE',
    42,
    ofCertificate('the server refuses the certificate of --cert: have another one issued'),
  ],
  [
    'UNSUPPORTED_CERTIFICATE',
    43,
    ofCertificate(
      'the server takes no certificate of this kind for a client: have one issued with clientAuth',
    ),
  ],
  [
    'CERTIFICATE_REVOKED',
    44,
    ofCertificate(
      'the server says that the certificate of --cert is revoked: have a new one issued',
    ),
  ],
  [
    'CERTIFICATE_EXPIRED',
    45,
    ofCertificate('the server says that the certificate of --cert has expired: renew it'),
  ],
  [
    'CERTIFICATE_UNKNOWN',
    46,
    ofCertificate('the server refuses the certificate of --cert and does not say why: see its log'),
  ],
  [
    'UNKNOWN_CA',
    48,
    ofCertificate(
      'the server does not know the CA of the certificate of --cert: use one that its CA has signed, with the chain in the file',
    ),
  ],
  [
    'ACCESS_DENIED',
    49,
    ofCertificate(
      'the server does not let the holder of the certificate of --cert in: ask its operator',
    ),
  ],
  [
    'DECRYPT_ERROR',
    51,
    ofCertificate('the server could not verify the certificate of --cert: see its log'),
  ],
  [
    'PROTOCOL_VERSION',
    70,
    ofOther('the server speaks none of the versions of TLS that this Node does: update it'),
  ],
  [
    'UNRECOGNIZED_NAME',
    112,
    ofOther('the server has nothing for that name: check the host of the URL, or --servername'),
  ],
  [
    'CERTIFICATE_REQUIRED',
    116,
    ofCertificate('the server requires a client certificate: give --cert and --key'),
  ],
];

/** How OpenSSL numbers what it received as an alert: library 20 (SSL), reason 1000 and the alert. */
const NUMBER = /\berror:0A000(?<reason>[\dA-F]{3}):/i;
const FIRST_ALERT = 1000;

/**
 * Returns the alert behind an error of TLS; undefined for other errors, and for alerts that say
 * nothing to a user.
 */
export function tlsAlertOf(error: unknown): TlsAlert | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  // The prefix differs between versions of OpenSSL.
  const name = /^ERR_SSL_.*_ALERT_(?<name>\w+)$|^ERR_SSL_TLSV1_(?<name1>UNRECOGNIZED_NAME)$/.exec(
    String(code),
  )?.groups;
  if (name) {
    const wanted = name['name'] ?? name['name1'];
    return ALERTS.find(([each]) => each === wanted)?.[2];
  }
  // In a write before the end of the handshake Node has it in the text only, by its number too.
  const reason = code === 'EPROTO' ? NUMBER.exec(error.message)?.groups?.['reason'] : undefined;
  if (reason === undefined) return undefined;
  return ALERTS.find(([, number]) => number === parseInt(reason, 16) - FIRST_ALERT)?.[2];
}

/** The certificate that a client has shown. */
export interface ShownCertificate {
  /** What is wrong with it by itself, as far as that can be seen here. */
  readonly fault: string | undefined;
}

/** Errors by which a peer cuts a handshake without a word. */
const CUTS = new Set<unknown>(['ECONNRESET', 'EPIPE']);

/**
 * Returns what may be behind an error of a handshake that does not say it, to be added to its line;
 * '' for nothing.
 */
export function handshakeHint(
  error: unknown,
  encrypted: boolean,
  certificate: ShownCertificate | undefined,
): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const refused = error instanceof WsConnError && error.statusCode === BAD_REQUEST;
  // Later errors are WsConnErrors.
  const cut = !(error instanceof WsConnError) && CUTS.has(code);
  if (!refused && !cut) return '';
  if (!encrypted) {
    // Many TLS servers cut a plain handshake without a word.
    return cut ? '; if that port speaks TLS, use wss:// instead of ws://' : '';
  }
  if (certificate?.fault !== undefined) {
    return `; the certificate of --cert ${certificate.fault}`;
  }
  // nginx completes TLS first, and tells the reason in a page.
  const when = refused ? 'nginx answers so too if it' : 'if the server';
  return certificate === undefined
    ? `; ${when} requires a client certificate, give --cert and --key`
    : `; ${when} refuses the certificate of --cert, use one that is signed by a CA which it knows`;
}
