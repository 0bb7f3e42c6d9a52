import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for a test or a file of tests. */
export interface Folder {
  readonly path: string;
  /** Writes a file that others may not read; returns its path. */
  file(name: string, content: string): Promise<string>;
  remove(): Promise<void>;
}

/** Makes a folder for a test or a file of tests. */
export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'wsconn-test-'));
  return {
    path,
    file: async (name, content) => {
      const file = join(path, name);
      await writeFile(file, content, { mode: 0o600 });
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
