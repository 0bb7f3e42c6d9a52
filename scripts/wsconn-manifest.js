/**
 * Makes wsconn/ ready for npm to pack, and undoes it afterwards: a package brings its own copies of
 * LICENSE and CHANGELOG.md.
 *
 *   node scripts/wsconn-manifest.js restore
 *
 * puts everything back after an `npm publish` that failed. The script keeps no state: it can be run
 * at any time, any number of times.
 */
import { copyFileSync, rmSync } from 'node:fs';
import process from 'node:process';
import { URL } from 'node:url';

const root = new URL('../', import.meta.url);
const wsconn = new URL('wsconn/', root);
const COPIES = ['LICENSE', 'CHANGELOG.md'];

function prepack() {
  for (const name of COPIES) copyFileSync(new URL(name, root), new URL(name, wsconn));
}

function restore() {
  for (const name of COPIES) rmSync(new URL(name, wsconn), { force: true });
}

switch (process.argv[2]) {
  case 'prepack':
    prepack();
    break;
  case 'postpack':
    // `npm publish` reads package.json once more after this, and sends that to the registry.
    if (process.env['npm_command'] !== 'publish') restore();
    break;
  case 'restore':
    restore();
    break;
  default:
    process.stderr.write('usage: node scripts/wsconn-manifest.js prepack | postpack | restore\n');
    process.exitCode = 2;
}
