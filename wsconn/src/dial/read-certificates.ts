import { X509Certificate } from 'node:crypto';

import { Failure } from '../console/failure.ts';
import { readNamedFile } from './read-file.ts';

const BLOCK =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Reads a file of certificates that an option names. Node takes one without any in silence, and
 * then trusts nobody.
 * @param option - the option, as the user gave it
 * @throws Failure with a line for the user
 */
export async function readCertificates(path: string, option: string): Promise<string> {
  const text = await readNamedFile(path, option);
  const blocks = text.match(BLOCK);
  if (!blocks) {
    throw new Failure(
      `${path}, which ${option} names, holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`,
    );
  }
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (cause) {
    throw new Failure(`${path}, which ${option} names, holds a certificate that is broken`, {
      cause,
    });
  }
  return text;
}
