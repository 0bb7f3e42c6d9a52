/**
 * What makes the bundled command start sooner, as plugins of esbuild. Each says what it saves of
 * `wsconn connect`, from its start to its end: measured side by side, on Node 20 and 22.
 */
import { readFile } from 'node:fs/promises';

/** Marks what a plugin itself has resolved. */
const SEEN = Symbol('seen');

/**
 * Loads ws by `require()`, which saves 37 ms: its ES module has Node look for the exports of each of
 * its files. It stays a package of its own, so that npm can replace it.
 * @returns {import('esbuild').Plugin}
 */
export function requireWs() {
  return {
    name: 'require-ws',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^ws$/ }, () => ({ path: 'ws', namespace: 'require' }));
      onLoad({ filter: /^ws$/, namespace: 'require' }, () => ({
        contents: `
          const { createRequire } = process.getBuiltinModule('node:module');
          export const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('ws');`,
      }));
    },
  };
}

/**
 * Takes Node's own modules without `import`, which reads all that they export, and so loads what is
 * behind names that nobody uses, such as Web Crypto. It saves 10 ms on Node 22, nothing on 20.
 * @returns {import('esbuild').Plugin}
 */
export function lazyBuiltins() {
  return {
    name: 'lazy-builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:/ }, ({ path, kind }) =>
        kind === 'import-statement' ? { path, namespace: 'builtin' } : null,
      );
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      }));
    },
  };
}

/**
 * Puts a module and all that it imports into one file, where there were 18, which saves 5 to 7 ms. What
 * only some entry points need is split off, so all of them get to import that module.
 * @param {string} path - that of the module
 * @returns {import('esbuild').Plugin}
 */
export function keepTogether(path) {
  return {
    name: 'keep-together',
    setup({ onResolve, onLoad, resolve }) {
      const entries = new Set();
      onResolve({ filter: /\.ts$/ }, async ({ path: asked, kind, pluginData, ...from }) => {
        if (pluginData === SEEN || (kind !== 'dynamic-import' && kind !== 'entry-point'))
          return null;
        const found = await resolve(asked, { kind, pluginData: SEEN, ...from });
        if (found.path !== path) entries.add(found.path);
        return { ...found, pluginData: undefined };
      });
      onLoad({ filter: /\.ts$/ }, async ({ path: loaded }) => {
        if (!entries.has(loaded)) return null;
        const contents = await readFile(loaded, 'utf8');
        return { contents: `${contents}\nimport ${JSON.stringify(path)};\n`, loader: 'ts' };
      });
    },
  };
}
