import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

import type { ClientOptions } from 'ws';

import { usageFailure } from '../console/failure.ts';
import { showGiven } from '../console/secrets.ts';
import type { ShownCertificate } from '../console/tls-errors.ts';
import { isEncrypted } from './options/check-url.ts';
import type { DialValues } from './options/dial-options.ts';
import type { SecretFiles } from './secret-files.ts';

/** What TLS to the server takes; files in PEM. */
export type TlsMaterial = Pick<ClientOptions, 'ca' | 'cert' | 'checkServerIdentity' | 'key'> & {
  readonly servername?: string;
};

/** As in HTTP Public Key Pinning (RFC 7469), or with the second slash of curl's --pinnedpubkey. */
const PIN = /^sha256\/\/?(?<hash>[A-Za-z\d+/]{43}=)$/;

/** The options of TLS. Files are read again for each connection. */
export class TlsOptions {
  readonly #values: DialValues;
  readonly #url: URL;
  readonly #files: SecretFiles;
  readonly #servername: string | undefined;
  readonly #pins: readonly string[];
  /** What is wrong with the certificate that was read last, as far as that can be seen here. */
  #fault: string | undefined;

  /**
   * @param files - reads the private key
   * @throws Failure for options that cannot be understood or do not belong together
   */
  constructor(values: DialValues, url: URL, files: SecretFiles) {
    this.#values = values;
    this.#url = url;
    this.#files = files;
    const [cert, key] = [values.text('cert'), values.text('key')];
    if ((cert === undefined) !== (key === undefined)) {
      throw usageFailure('--cert and --key belong together: give both or none');
    }
    for (const name of ['servername', 'pin'] as const) {
      if (values.text(name) === undefined || isEncrypted(url)) continue;
      throw usageFailure(
        `${values.nameOf(name)} is for TLS, which a URL of ${url.protocol} does not use: give wss://, or leave it out`,
      );
    }
    this.#servername = readServername(values);
    this.#pins = readPins(values);
  }

  // What few need is loaded when it is used: somebody waits for `wsconn connect`.

  /**
   * Reads the files.
   * @throws Failure with a line for the user
   */
  async read(): Promise<TlsMaterial> {
    const [ca, cert, key, pinCheck] = await Promise.all([
      readAuthorities(this.#values, 'ca'),
      this.#readCertificate(),
      this.#readKey(),
      this.#pinCheck(),
    ]);
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(this.#servername === undefined ? {} : { servername: this.#servername }),
      ...pinCheck,
    };
  }

  /** The certificate that was read last; undefined for none. */
  get certificate(): ShownCertificate | undefined {
    return this.#values.text('cert') === undefined ? undefined : { fault: this.#fault };
  }

  async #readCertificate(): Promise<string | undefined> {
    const path = this.#values.text('cert');
    if (path === undefined) return undefined;
    const [{ readNamedFile }, { faultOf }] = await Promise.all([
      import('./read-file.ts'),
      import('./client-certificate.ts'),
    ]);
    const chain = await readNamedFile(path, this.#values.nameOf('cert'));
    this.#fault = faultOf(chain);
    return chain;
  }

  async #readKey(): Promise<string | undefined> {
    const path = this.#values.text('key');
    if (path === undefined) return undefined;
    return this.#files.read(path, this.#values.nameOf('key'));
  }

  async #pinCheck(): Promise<Pick<ClientOptions, 'checkServerIdentity'>> {
    if (this.#pins.length === 0) return {};
    const { pinCheck } = await import('./pins.ts');
    // The types of ws say that it returns whether; TLS wants the error.
    return { checkServerIdentity: pinCheck(this.#url.host, this.#pins) as never };
  }
}

/** Reads the certificates that an option names; undefined where it is not given. */
export async function readAuthorities(
  values: DialValues,
  name: 'ca' | 'proxy-ca',
): Promise<string | undefined> {
  const path = values.text(name);
  if (path === undefined) return undefined;
  const { readCertificates } = await import('./read-file.ts');
  return readCertificates(path, values.nameOf(name));
}

function readServername(values: DialValues): string | undefined {
  const text = values.text('servername');
  if (text === undefined) return undefined;
  const name = domainToASCII(text);
  // What is no letter, digit or mark of a name would end it.
  const alien = /[^\p{L}\p{M}\p{N}._-]/u.test(text);
  if (alien || isIP(name) !== 0 || !/^(?=.{1,253}$)[\w-]+(?:\.[\w-]+)*$/.test(name)) {
    throw usageFailure(
      `${values.nameOf('servername')} must be a host name, such as example.org, but is ${showGiven(text)}`,
    );
  }
  return name;
}

/** Reads the pins; returns each as `sha256/BASE64`. */
function readPins(values: DialValues): readonly string[] {
  return values.list('pin').map((pin) => {
    const hash = PIN.exec(pin)?.groups?.['hash'];
    if (hash === undefined) {
      throw usageFailure(
        `${values.nameOf('pin')} must be sha256/ and 44 characters of base64, but is ${showGiven(pin)}`,
      );
    }
    return `sha256/${hash}`;
  });
}
