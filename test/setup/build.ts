/** Builds the package once before all tests: those of the command run what a user runs, dist/cli/main.js. */
import { execFileSync } from 'node:child_process';

const root = new URL('../../', import.meta.url);

export function setup(): void {
  const compiler = new URL('node_modules/typescript/bin/tsc', root).pathname;
  // Types are checked by `npm run typecheck`; here only the JavaScript is wanted.
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], {
    cwd: root,
    stdio: 'inherit',
  });
}
