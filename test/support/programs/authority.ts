import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args);

/** Paths of a certificate and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of its own, in a folder that is removed with the test. */
export interface Authority {
  /** Path of its certificate. */
  readonly ca: string;
  /**
   * Signs a certificate for 127.0.0.1 and localhost; with `days` below 1 it has expired.
   * @param extensions - further lines for openssl, such as `extendedKeyUsage=serverAuth`
   */
  sign(name: string, days?: number, extensions?: readonly string[]): Promise<Certificate>;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes a certificate authority with openssl. */
export async function makeAuthority(folder: string): Promise<Authority> {
  const [ca, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  await openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    caKey,
    '-out',
    ca,
    '-days',
    '2',
    '-subj',
    '/CN=test CA',
  );
  return {
    ca,
    sign: async (name, days = 2, extensions = []) => {
      const at = (ending: string): string => join(folder, `${name}.${ending}`);
      // The last of a name counts.
      const lines = ['subjectAltName=IP:127.0.0.1,DNS:localhost', ...extensions, ''];
      await writeFile(at('ext'), lines.join('\n'));
      await openssl(
        'req',
        ...NEW_KEY,
        '-keyout',
        at('key'),
        '-out',
        at('csr'),
        '-subj',
        `/CN=${name}`,
      );
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', String(days)];
      await openssl(
        'x509',
        '-req',
        '-in',
        at('csr'),
        ...signing,
        '-extfile',
        at('ext'),
        '-out',
        at('pem'),
      );
      return { cert: at('pem'), key: at('key') };
    },
  };
}
