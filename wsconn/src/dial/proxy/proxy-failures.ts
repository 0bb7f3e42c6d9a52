import { codeOf, explain } from '../../console/explain.ts';
import { WayFailure } from '../../console/failure.ts';

/**
 * Time in ms that the way through a proxy may take: a little less than the handshake as a whole, so
 * that the proxy is named where it is the one who keeps still.
 */
export const PROXY_TIMEOUT = 9_000;

const UNKNOWN_CA = 'its CA is not known here: name its certificate with --proxy-ca';

/** What an error of TLS with the proxy means: the usual lines speak of the server. */
const TLS_MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired: ask its operator to renew it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name it with --proxy-ca',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name: check its URL',
  EPROTO: 'it may not speak TLS: try http:// instead of https://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: use http:// instead of https://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: use http:// instead of https://',
};

/** Says what a proxy did not do, which would look like a fault of the server. */
export class ProxyFailures {
  readonly #name: string;
  readonly #target: string;

  /** @param name - the proxy, and how it was named */
  constructor(name: string, target: string) {
    this.#name = name;
    this.#target = target;
  }

  /** Returns the failure of a proxy that cannot be reached or does not speak its protocol. */
  unusable(error: unknown): WayFailure {
    const code = codeOf(error);
    const meaning = code === undefined ? undefined : TLS_MEANINGS[code];
    const why = meaning === undefined ? explain(error) : `${meaning} (${String(code)})`;
    // What has no code is an answer in another protocol, or the end of the connection.
    const hint = code === undefined ? ': check scheme, host and port of its URL' : '';
    return new WayFailure(`${this.#name} cannot be used: ${why}${hint}`, { cause: error });
  }

  /** Returns the failure of a proxy that did not answer in time. */
  late(): WayFailure {
    const seconds = String(PROXY_TIMEOUT / 1000);
    return new WayFailure(
      `${this.#name} cannot be used: it did not open the way within ${seconds} s: check scheme, host and port of its URL`,
    );
  }

  /** Returns the failure of a proxy that does not open the way to the server. */
  refused(why: string, cause?: unknown): WayFailure {
    return new WayFailure(`${this.#name} does not connect to ${this.#target}: ${why}`, { cause });
  }
}
