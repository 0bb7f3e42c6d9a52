/**
 * Builds both packages once before all tests: those of the command run what a user runs,
 * wsconn/bin/wsconn.js.
 */
import { execFileSync } from 'node:child_process';

const root = new URL('../../', import.meta.url);

export function setup(): void {
  const compiler = new URL('node_modules/typescript/bin/tsc', root).pathname;
  // Types are checked by `npm run typecheck`; here only the JavaScript is wanted.
  for (const project of ['tsconfig.build.json', 'wsconn/tsconfig.build.json']) {
    execFileSync(process.execPath, [compiler, '-p', project, '--noCheck'], {
      cwd: root,
      stdio: 'inherit',
    });
  }
}
