import { readFile } from 'node:fs/promises';

import { codeOf } from '../console/error-code.ts';
import { Failure } from '../console/failure.ts';

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
    const code = codeOf(error) ?? 'unknown error';
    throw new Failure(`cannot read ${path}, which ${option} names: ${PROBLEMS[code] ?? code}`, {
      cause: error,
    });
  }
  if (text.trim() === '') throw new Failure(`${path}, which ${option} names, is empty`);
  return text;
}
