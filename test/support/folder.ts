import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a folder for a test or a file of tests. Returns its path and the function to remove it. */
export async function makeFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'wsconn-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
