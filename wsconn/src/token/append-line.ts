import { open } from 'node:fs/promises';

import { parseTokens } from './token-file.ts';
import { codeOf } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';

/** Mode of a new file: its owner alone reads it. */
const OWNER_ONLY = 0o600;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  EACCES: 'its permissions do not let this user write it',
  EROFS: 'its file system takes no changes',
  EISDIR: 'it is a directory',
  ENOSPC: 'the disk is full',
};

/**
 * Appends a line to a server's file of tokens, whole or not at all, and makes the file where there
 * is none. What else is appended at the same time stays; owner and mode of a file stay too.
 * @param option - the option that names it, as the user gave it
 * @throws Failure with a line for the user
 */
export async function appendLine(path: string, line: string, option: string): Promise<void> {
  const where = `${path}, which ${option} names`;
  try {
    await using file = await open(path, 'a+', OWNER_ONLY);
    const text = await file.readFile('utf8');
    if (text.trim() !== '') checkText(text, line, where);
    const added = Buffer.from(`${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
    const { size } = await file.stat();
    // In one piece, since the server may read it at any time.
    const { bytesWritten } = await file.write(added);
    if (bytesWritten < added.length) {
      await file.truncate(size);
      throw new Failure(`cannot write ${where}: the disk is full`);
    }
    await file.sync();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = codeOf(error) ?? 'unknown error';
    throw new Failure(`cannot write ${where}: ${PROBLEMS[code] ?? code}`, { cause: error });
  }
}

/** Checks that a server takes the file with the line as well. */
function checkText(text: string, line: string, where: string): void {
  const onlyComments = text.split('\n').every((each) => /^\s*(#|$)/.test(each));
  if (!onlyComments && !text.includes(':') && text.trim().split('\n').length === 1) {
    throw new Failure(
      `${where}, holds one token without a name, beside which there can be no other: write NAME: before it`,
    );
  }
  parseTokens(`${text}\n${line}`, where);
}
