import { createHash, X509Certificate } from 'node:crypto';
import tls, { type PeerCertificate } from 'node:tls';

import { WayFailure } from '../console/failure.ts';

/**
 * Makes what verifies a server beside the CA: the name of its certificate, and its public key. TLS
 * calls it before anything is sent, so a wrong server gets no token.
 * @param place - how lines name the server
 * @param pins - each as `sha256/BASE64`
 */
export function pinCheck(
  place: string,
  pins: readonly string[],
): (name: string, certificate: PeerCertificate) => Error | undefined {
  return (name, certificate) => {
    const wrongName = tls.checkServerIdentity(name, certificate);
    if (wrongName) return wrongName;
    const shown = pinOf(certificate.raw);
    if (pins.includes(shown)) return undefined;
    return new WayFailure(
      `${place}: the server has another public key than --pin says; if its operator confirms that it is the right one, give --pin ${shown}`,
    );
  };
}

/** Returns the pin of the public key (its SubjectPublicKeyInfo, RFC 7469, section 2.4) of a certificate. */
function pinOf(certificate: Buffer): string {
  const { publicKey } = new X509Certificate(certificate);
  const info = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(info).digest('base64')}`;
}
