/**
 * The TypeScript in the documentation compiles and runs as it stands, but for addresses: ports and
 * hosts are those of this machine.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { connect, createServer } from '../../src/index.ts';
import { handle } from '../../src/multistream/index.ts';
import { CuttingRelay } from '../support/links/cutting-relay.ts';
import { echo, target } from '../support/peers/target.ts';
import { WatchedProgram } from '../support/programs/watched-program.ts';
import { fences, pages, ROOT } from './markdown.ts';

const ANNOUNCE = fileURLToPath(new URL('announce-ports.ts', import.meta.url));
const TOKEN = 'of-the-documentation';
// The code in doc comments, which docs/api.md repeats, has tests of its own.
const snippets = pages()
  .flatMap(fences)
  .filter(({ language, generated }) => language === 'ts' && !generated);
/** A project of somebody who has installed the package. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'snippets-'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  for (const { name, code } of snippets) {
    writeFileSync(path.join(folder, `${String(name)}.ts`), code);
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a snippet with other addresses; everything to replace must be there. */
function run(name: string, replacements: Readonly<Record<string, string>>): WatchedProgram {
  let { code } = snippets.find((one) => one.name === name) ?? { code: '' };
  for (const [from, to] of Object.entries(replacements)) {
    expect(code).toContain(from);
    code = code.replaceAll(from, to);
  }
  const file = path.join(folder, `run-${name}.ts`);
  writeFileSync(file, code);
  const args = ['--import', 'tsx', '--import', ANNOUNCE, file];
  return new WatchedProgram(process.execPath, args, { env: { TOKEN }, input: '' });
}

/** Waits until a program listens, and returns the port. */
async function portOf(program: WatchedProgram, nth = 1): Promise<number> {
  const pattern = new RegExp(`(?:listening on (\\d+)\\n[^]*?){${String(nth)}}`);
  const [, port] = await program.prints(pattern);
  return Number(port);
}

/** Sends a line and resolves with what came back when the other end has ended too. */
async function sendLine(socket: net.Socket): Promise<string> {
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.end('a line\n');
  await once(socket, 'close');
  return answer;
}

test('every snippet has a name, and all of them compile under strict', { timeout: 60_000 }, () => {
  expect(snippets.filter(({ name }) => name === undefined)).toEqual([]);
  const config = path.join(folder, 'tsconfig.json');
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const files = snippets.map(({ name }) => `${String(name)}.ts`);
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', config], { cwd: folder, stdio: 'inherit' });
});

test('README: the client runs a command over SSH', async () => {
  // Not ed25519: ssh2 1.17 cannot read one in 256 of its own (its issue 1390).
  const { private: key } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const sshd = new ssh2.Server({ hostKeys: [key] }, (user) => {
    user.on('authentication', (attempt) => {
      attempt.accept();
    });
    user.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.write(`ran ${command}\n`);
        channel.exit(0);
        channel.end();
      });
    });
  });
  let authorization: string | undefined;
  const server = createServer({ path: '/ssh' }, (socket, { headers }) => {
    ({ authorization } = headers);
    sshd.injectSocket(socket);
  });
  onTestFinished(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = run('client', { 'wss://gateway.example.com': `ws://127.0.0.1:${String(port)}` });
  expect(await client.ended).toEqual({ code: 0, stdout: 'ran uptime\n', stderr: '' });
  expect(authorization).toBe(`Bearer ${TOKEN}`);
});

test('README: the server joins those who have the token with its target', async () => {
  const server = run('server', { '22,': `${String(await target(echo))},`, '8080': '0' });
  const url = `ws://127.0.0.1:${String(await portOf(server))}/ssh`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect(await sendLine(connect(url, { headers }))).toBe('a line\n');
  expect(await connect(url).close()).toBeNull();
  const [refused] = (await once(connect(url), 'error')) as [Error];
  expect(refused).toMatchObject({ code: 'ECONNREFUSED', statusCode: 401 });
});

test('README and docs/resume.md: a client and its server go on over the next WebSocket', async () => {
  const server = run('resume-server', { '22,': `${String(await target(echo))},`, '8080': '0' });
  const relay = await CuttingRelay.start(await portOf(server));
  onTestFinished(() => relay.stop());
  const lines = [
    "socket.write('first\\n')",
    "socket.on('reconnect', () => socket.end('second\\n'))",
    'socket',
  ];
  const client = run('resume', {
    'wss://gateway.example.com': relay.url,
    '{ resume: true': `{ headers: { authorization: 'Bearer ${TOKEN}' }, resume: true`,
    'process.stdin.pipe(socket)': lines.join(';\n'),
  });
  await client.prints(/first/);
  relay.cut();
  await client.prints(/back after \d+ ms/);
  await server.prints(/waiting for the client: /);
  expect(await client.ended).toMatchObject({ code: 0, stdout: 'first\nsecond\n' });
});

test('README: the keepalive tells of a dead browser', async () => {
  const short = '(ws, { interval: 200, pongTimeout: 200 })';
  const server = run('keepalive', { '8080': '0', 'Keepalive(ws)': `Keepalive${short}` });
  const url = `ws://127.0.0.1:${String(await portOf(server))}`;
  const dead = new WebSocket(url, { autoPong: false });
  await server.prints(/taken for dead/);
  await once(dead, 'close');
});

test('docs/api.md: a WebSocket of your own is a socket', async () => {
  const server = run('own-websocket', { '8080': '0' });
  const socket = connect(`ws://127.0.0.1:${String(await portOf(server))}`, { allowHalfOpen: true });
  socket.write('a line\n');
  expect(String((await once(socket, 'data'))[0])).toBe('a line\n');
  expect(await socket.close()).toBeNull();
});

test('docs/yamux.md: a line goes through the client, the server and back', async () => {
  const server = run('yamux-server', { '(7,': `(${String(await target(echo))},`, '8080': '0' });
  const url = `ws://127.0.0.1:${String(await portOf(server))}`;
  const client = run('yamux-client', { 'wss://gateway.example.com': url });
  expect(await client.ended).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
});

test('docs/multistream.md: a line goes through a stream that both ends have agreed on', async () => {
  const port = String(await target(echo));
  const server = run('multistream-handle', { ' 7,': ` ${port},`, '8080': '0' });
  const url = `ws://127.0.0.1:${String(await portOf(server))}`;
  const client = run('multistream-select', { 'wss://gateway.example.com': url });
  const stdout = 'agreed on /echo/1.0.0\nhello\n';
  expect(await client.ended).toEqual({ code: 0, stdout, stderr: '' });
});

test('docs/multistream.md: first bytes leave with the proposal, and a refusal is heard', async () => {
  const came: Promise<string>[] = [];
  const server = net.createServer((socket) => {
    const name = came.length === 0 ? '/log/1.0.0' : '/log/2.0.0';
    came.push(handle(socket, name).then(() => text(socket)));
    came.at(-1)?.catch(() => socket.destroy());
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const log = (): WatchedProgram =>
    run('multistream-first-bytes', { '4001': String(port), 'logs.example.com': '127.0.0.1' });
  expect(await log().ended).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await came[0]).toBe('started\nstopped\n');
  const { stderr } = await log().ended;
  expect(stderr).toContain("code: 'EPROTONOSUPPORT'");
  expect(stderr).toContain('it took 8 bytes of payload for proposals');
  await expect(came[1]).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('docs/revdial.md: a user reaches the device through the server', async () => {
  const server = run('revdial-server', { '2222': '0', '8080': '0' });
  const hub = `ws://127.0.0.1:${String(await portOf(server))}`;
  run('revdial-device', { 'wss://hub.example.com': hub, '22,': `${String(await target(echo))},` });
  const user = net.connect(await portOf(server, 2), '127.0.0.1');
  expect(await sendLine(user)).toBe('a line\n');
});

test('docs/conformance.md: the suite passes under node:test', { timeout: 120_000 }, async () => {
  const { code, stdout } = await run('conformance-suite', {}).ended;
  expect(code, stdout).toBe(0);
  expect(Number(/^(?:#|ℹ) pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(200);
});

test('docs/conformance.md: every promise is tried', { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await run('conformance-check', { '1_000': '50' }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('kept: basic I/O: bytes cut at random arrive whole and in order\n');
  expect(stdout.trim().split('\n').length).toBeGreaterThan(100);
});
