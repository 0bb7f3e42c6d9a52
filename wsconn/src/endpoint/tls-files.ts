import { createSecureContext, type SecureContextOptions } from 'node:tls';

import { explain } from '../console/explain.ts';
import { Failure, usageFailure } from '../console/failure.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import { readCertificates, readNamedFile } from '../dial/read-file.ts';
import type { SecretFiles } from '../dial/secret-files.ts';

/** Options for TLS of a server. */
export const TLS_OPTIONS = {
  'tls-cert': {
    value: 'FILE',
    help: 'certificate chain, for wss:// (PEM)',
  },
  'tls-key': { value: 'FILE', help: 'private key of --tls-cert (PEM)' },
  'tls-client-ca': {
    value: 'FILE',
    help: 'CA that must have signed client certificates (PEM)',
  },
} as const satisfies OptionSpecs;

/** Files for TLS of a server, and how to read them. */
export interface TlsFiles {
  readonly paths: readonly string[];
  /** Whether clients must present a certificate. */
  readonly mutual: boolean;
  /** Reads the files; throws a Failure with a line for the user where they cannot be used. */
  read(): Promise<SecureContextOptions>;
}

/** Returns the files that the options name, or undefined where they ask for no TLS. */
export function tlsFiles(
  values: Values<keyof typeof TLS_OPTIONS>,
  secretFiles: SecretFiles,
): TlsFiles | undefined {
  const [certPath, keyPath, caPath] = [
    values.text('tls-cert'),
    values.text('tls-key'),
    values.text('tls-client-ca'),
  ];
  if (certPath === undefined && keyPath === undefined) {
    if (caPath === undefined) return undefined;
    throw usageFailure('--tls-client-ca needs TLS: give --tls-cert and --tls-key too');
  }
  if (certPath === undefined || keyPath === undefined) {
    throw usageFailure('--tls-cert and --tls-key belong together: give both or none');
  }
  return {
    paths: [certPath, keyPath, ...(caPath === undefined ? [] : [caPath])],
    mutual: caPath !== undefined,
    read: async () => {
      const [cert, key, ca] = await Promise.all([
        readNamedFile(certPath, values.nameOf('tls-cert')),
        secretFiles.read(keyPath, values.nameOf('tls-key')),
        caPath === undefined ? undefined : readCertificates(caPath, values.nameOf('tls-client-ca')),
      ]);
      const files = { cert, key, ...(ca === undefined ? {} : { ca }) };
      try {
        createSecureContext(files);
      } catch (error) {
        throw new Failure(`${certPath} and ${keyPath} cannot be used: ${explain(error)}`, {
          cause: error,
        });
      }
      return files;
    },
  };
}
