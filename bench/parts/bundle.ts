import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

/** Inside the project, where Node finds what the programs import from npm. */
const FOLDER = fileURLToPath(
  new URL(`../../node_modules/.cache/bench-${String(process.pid)}/`, import.meta.url),
);

const bundles = new Map<string, Promise<string>>();

/**
 * Makes one file of a script of this folder and of what it imports, once; returns its path. Run by
 * tsx, each function would be wrapped to keep its name, which costs time and memory that users do
 * not pay.
 */
export function bundle(script: string): Promise<string> {
  const known = bundles.get(script);
  if (known) return known;
  const made = make(script);
  bundles.set(script, made);
  return made;
}

async function make(script: string): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const outfile = path.join(FOLDER, `${path.basename(script, '.ts')}.mjs`);
  await build({
    entryPoints: [path.join(import.meta.dirname, script)],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Profiles tell ours from the benchmark's own by it.
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
  return outfile;
}

/** The folder to remove at the end. */
export const BUNDLES = FOLDER;
