/**
 * Builds the command: one file for what every subcommand needs, and others for what is loaded when
 * it is used. The library goes into them, from its sources. Each file that Node does not have to
 * find and read makes `wsconn connect` start sooner, and somebody waits for it.
 */
import { rmSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

import { build } from 'esbuild';

import { keepTogether, lazyBuiltins, requireWs } from './quick-start.js';

const folder = new URL('../wsconn/', import.meta.url);

/** Writes wsconn/dist/. Types are checked by `npm run typecheck`. */
export async function bundleCommand() {
  rmSync(new URL('dist', folder), { recursive: true, force: true });
  await build({
    absWorkingDir: fileURLToPath(folder),
    entryPoints: ['src/main.ts'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    // What else npm installs stays as it is.
    packages: 'external',
    plugins: [
      requireWs(),
      lazyBuiltins(),
      keepTogether(fileURLToPath(new URL('src/commands.ts', folder))),
    ],
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCommand();
