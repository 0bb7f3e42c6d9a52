/**
 * Builds the command: one file for what every subcommand needs, and others for what is loaded when
 * it is used. The library goes into them, from its sources. Each file that Node does not have to
 * find and read makes `wsconn connect` start sooner, and somebody waits for it.
 */
import { rmSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

import { build } from 'esbuild';

const folder = new URL('../wsconn/', import.meta.url);

/**
 * Takes ws by require(): it is CommonJS, and to import that, Node starts a parser in WebAssembly
 * which it needs for nothing else here. It is 5 MiB of memory in each process.
 */
const wsByRequire = {
  name: 'ws by require()',
  setup(build) {
    build.onResolve({ filter: /^ws$/ }, () => ({ path: 'ws', namespace: 'by-require' }));
    build.onLoad({ filter: /^ws$/, namespace: 'by-require' }, () => ({
      contents: `
        import { createRequire } from 'node:module';
        export const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('ws');
      `,
    }));
  },
};

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
    plugins: [wsByRequire],
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCommand();
