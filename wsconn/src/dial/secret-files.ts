import { stat } from 'node:fs/promises';

import type { Log } from '../log/log.ts';
import { readNamedFile } from './read-file.ts';

/** The bit of a file's mode by which every user of the machine may read it (inode(7)). */
const READ_BY_OTHERS = 0o004;

/** Reads files that hold secrets, and warns once of each that every user of the machine may read. */
export class SecretFiles {
  readonly #log: Log;
  readonly #warned = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Reads a file that an option names.
   * @param option - the option, as the user gave it
   * @throws Failure with a line for the user
   */
  async read(path: string, option: string): Promise<string> {
    const text = await readNamedFile(path, option);
    await this.warn(path, option);
    return text;
  }

  /** Warns once of a file that every user of the machine may read. */
  async warn(path: string, option: string): Promise<void> {
    // Windows has other permissions, which Node does not show.
    if (process.platform === 'win32' || this.#warned.has(path)) return;
    const { mode } = await stat(path);
    if ((mode & READ_BY_OTHERS) !== 0) {
      this.#warned.add(path);
      this.#log.warn(
        `every user of this machine may read ${path}, which ${option} names: chmod o-r ${path}`,
      );
    }
  }
}
