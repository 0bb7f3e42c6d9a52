import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

/** Inside the project, where Node finds what the programs import from npm. */
const BUNDLES = fileURLToPath(
  new URL(`../../node_modules/.cache/bench-${String(process.pid)}/`, import.meta.url),
);
const SCRIPTS = path.join(import.meta.dirname, '../sides');

let built: Promise<void> | null = null;

/**
 * Returns the path of a script of bench/sides, bundled with what it imports of the project. Run by
 * tsx, each function would be wrapped to keep its name, which costs time and memory that users do
 * not pay.
 */
export async function bundle(script: string): Promise<string> {
  built ??= buildAll();
  await built;
  return path.join(BUNDLES, `${path.basename(script, '.ts')}.mjs`);
}

async function buildAll(): Promise<void> {
  process.on('exit', () => {
    rmSync(BUNDLES, { recursive: true, force: true });
  });
  await build({
    entryPoints: ['near', 'far', 'holder', 'delay-proxy'].map((name) =>
      path.join(SCRIPTS, `${name}.ts`),
    ),
    outdir: BUNDLES,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Profiles tell ours from the benchmark's own by it.
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}
