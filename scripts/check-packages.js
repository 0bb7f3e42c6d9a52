/**
 * Checks both packages as users get them: packs them, checks what is inside, and installs both
 * tarballs, and nothing else of this repository, into an empty folder.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'check-packages-'));
process.on('exit', () => {
  rmSync(work, { recursive: true, force: true });
});

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const { version } = manifestOf(root);

/** Runs a program with its output shown. */
function show(command, args, cwd = root) {
  execFileSync(command, args, { cwd, stdio: 'inherit' });
}

/** Runs a program and returns what it prints. */
function read(command, args, cwd = root) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1e8 });
}

/** Packs the package of a folder and unpacks it beside; returns its tarball, folder and files. */
function pack(folder, name) {
  const args = ['pack', '--json', '--pack-destination', work];
  const [{ filename, files }] = [JSON.parse(read('npm', args, join(root, folder)))].flat();
  const unpacked = join(work, name);
  mkdirSync(unpacked);
  const tarball = join(work, filename);
  read('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
  return { tarball, unpacked, files: files.map(({ path }) => path) };
}

function checkFiles({ files }, folders, names) {
  const [nested, top] = [
    files.filter((path) => path.includes('/')),
    files.filter((path) => !path.includes('/')),
  ];
  assert.deepEqual([...new Set(nested.map((path) => path.split('/')[0]))].sort(), folders);
  assert.deepEqual(top.sort(), names);
}

/** Checks that what the pages of a tarball link to is in it. */
function checkLinks({ unpacked, files }) {
  for (const page of files.filter((path) => path.endsWith('.md'))) {
    const text = readFileSync(join(unpacked, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '');
    for (const [, link] of text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)) {
      const target = join(dirname(page), link);
      assert.ok(
        existsSync(join(unpacked, target)),
        `${page} links to ${link}, which is not packed`,
      );
    }
  }
}

const library = pack('', 'library');
const command = pack('wsconn', 'command');

checkFiles(
  library,
  ['contrib', 'dist', 'docs', 'examples', 'src', 'wsconn'],
  ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'],
);
checkFiles(
  command,
  ['bin', 'dist', 'docs', 'src'],
  ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'],
);
for (const packed of [library, command]) checkLinks(packed);
// The library is in its files.
assert.equal(manifestOf(command.unpacked).dependencies['ws-conn-adapter'], undefined);
assert.equal(manifestOf(command.unpacked).version, version);

const bin = (name) => join(root, 'node_modules/.bin', name);
for (const { tarball } of [library, command]) show(bin('publint'), ['--strict', tarball]);
show(bin('attw'), [library.tarball, '--profile', 'esm-only']);

const user = join(work, 'user');
mkdirSync(user);
writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }\n');
const tarballs = [library.tarball, command.tarball];
show('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], user);

const { packages } = JSON.parse(readFileSync(join(user, 'package-lock.json'), 'utf8'));
const ours = Object.keys(packages).filter((path) => /(ws-conn-adapter|wsconn)$/.test(path));
assert.deepEqual(ours, ['node_modules/ws-conn-adapter', 'node_modules/wsconn']);
for (const path of ours) {
  assert.match(packages[path].resolved, /^file:/);
  assert.equal(manifestOf(join(user, path)).version, version);
}
const wsconn = join(user, 'node_modules/.bin/wsconn');
assert.equal(read(wsconn, ['--version'], user), `${version}\n`);
assert.match(read(wsconn, ['--help'], user), /^Usage: wsconn COMMAND/m);
for (const path of ['', '/yamux', '/revdial', '/multistream', '/conformance']) {
  const name = `ws-conn-adapter${path}`;
  const code = `console.log(Object.keys(await import('${name}')).length)`;
  assert.ok(Number(read(process.execPath, ['--input-type=module', '-e', code], user)) > 0, name);
}
process.stdout.write(`both packages of version ${version} can be installed and used\n`);
