import { X509Certificate } from 'node:crypto';

/** The extended key usage of a certificate for clients (RFC 5280, section 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Returns why a server may refuse a client certificate, as far as that can be seen here; undefined
 * where nothing is wrong with it by itself.
 * @param chain - certificates in PEM, that of the client first
 */
export function faultOf(chain: string, now = new Date()): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain);
  } catch {
    return undefined; // TLS has said so before it connected.
  }
  const { validFrom, validTo } = certificate;
  // The types do not know that it is left out where the certificate has none.
  const keyUsage = certificate.keyUsage as readonly string[] | undefined;
  if (new Date(validTo) < now) return `has expired (${day(validTo)}): renew it`;
  if (new Date(validFrom) > now) return `is not valid before ${day(validFrom)}: check the clocks`;
  if (keyUsage && !keyUsage.includes(CLIENT_AUTH)) {
    return 'is not for clients (its extended key usage lacks clientAuth): have one issued that is';
  }
  return undefined;
}

function day(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}
