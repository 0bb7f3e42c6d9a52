import { usageFailure } from '../console/failure.ts';
import type { DialValues } from './dial-options.ts';
import type { SecretFiles } from './secret-files.ts';

/** What TLS to the server takes from files, in PEM. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Checks that the options of TLS belong together. */
export function checkTlsOptions(values: DialValues): void {
  const [cert, key] = [values.text('cert'), values.text('key')];
  if ((cert === undefined) !== (key === undefined)) {
    throw usageFailure('--cert and --key belong together: give both or none');
  }
}

/**
 * Reads the files of the TLS options.
 * @param secretFiles - gives what reads the private key
 * @throws Failure with a line for the user
 */
export async function readTlsFiles(
  values: DialValues,
  secretFiles: () => Promise<SecretFiles>,
): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readAuthorities(values, 'ca'),
    readCertificate(values),
    readKey(values, secretFiles),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

// What few need is loaded when it is used: somebody waits for `wsconn connect`.

async function readAuthorities(values: DialValues, name: 'ca'): Promise<string | undefined> {
  const path = values.text(name);
  if (path === undefined) return undefined;
  const { readCertificates } = await import('./read-file.ts');
  return readCertificates(path, values.nameOf(name));
}

async function readCertificate(values: DialValues): Promise<string | undefined> {
  const path = values.text('cert');
  if (path === undefined) return undefined;
  const { readNamedFile } = await import('./read-file.ts');
  return readNamedFile(path, values.nameOf('cert'));
}

async function readKey(
  values: DialValues,
  secretFiles: () => Promise<SecretFiles>,
): Promise<string | undefined> {
  const path = values.text('key');
  if (path === undefined) return undefined;
  return (await secretFiles()).read(path, values.nameOf('key'));
}
