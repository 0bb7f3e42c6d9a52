import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { codeOf } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';

const BLOCK =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'its permissions do not let this user read it',
  EISDIR: 'it is a directory',
};

/**
 * Reads a file that an option names.
 * @param option - the option, as the user gave it
 * @throws Failure with a line for the user
 */
export async function readNamedFile(path: string, option: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(path, option, error);
  }
  return notEmpty(text, path, option);
}

/** Reads a file as `readNamedFile()` does, at once: for the few places that cannot wait. */
export function readNamedFileNow(path: string, option: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, option, error);
  }
  return notEmpty(text, path, option);
}

function unreadable(path: string, option: string, error: unknown): Failure {
  const code = codeOf(error) ?? 'unknown error';
  return new Failure(`cannot read ${path}, which ${option} names: ${PROBLEMS[code] ?? code}`, {
    cause: error,
  });
}

function notEmpty(text: string, path: string, option: string): string {
  if (text.trim() === '') throw new Failure(`${path}, which ${option} names, is empty`);
  return text;
}

/**
 * Reads a file of certificates that an option names, and checks that there are some: Node silently
 * accepts a file without any, and then trusts nobody.
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
    throw new Failure(`${path}, which ${option} names, holds a broken certificate`, { cause });
  }
  return text;
}
