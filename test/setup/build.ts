/**
 * Builds both packages once before all tests: those of the command run what a user runs,
 * wsconn/bin/wsconn.js.
 */
import { execFileSync } from 'node:child_process';

const root = new URL('../../', import.meta.url);

export function setup(): void {
  const compiler = new URL('node_modules/typescript/bin/tsc', root).pathname;
  // Types are checked by `npm run typecheck`; here only the JavaScript is wanted.
  const steps = [
    [compiler, '-p', 'tsconfig.build.json', '--noCheck'],
    ['scripts/bundle-command.js'],
  ];
  for (const step of steps) execFileSync(process.execPath, step, { cwd: root, stdio: 'inherit' });
}
