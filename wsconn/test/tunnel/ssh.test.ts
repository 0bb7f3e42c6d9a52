/** Moves real OpenSSH sessions through the command, in each of the ways that it has. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { bytesOf } from '../../../src/conformance/frame/bytes.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import {
  type Authority,
  type Certificate,
  makeAuthority,
} from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { type Sshd, startSshd } from '../../../test/support/programs/sshd.ts';
import {
  ON_A_TERMINAL,
  run,
  WatchedProgram,
} from '../../../test/support/programs/watched-program.ts';
import { startTinyproxy } from '../../../test/support/proxies/tinyproxy.ts';
import { forward, serve, WSCONN } from '../../../test/support/wsconn.ts';

const MIB = 1024 * 1024;

let folder: Awaited<ReturnType<typeof makeFolder>>;
let authority: Authority;
let server: Certificate;
let client: Certificate;

beforeAll(async () => {
  folder = await makeFolder();
  authority = await makeAuthority(folder.path);
  server = await authority.sign('server');
  client = await authority.sign('client');
});

afterAll(() => folder.remove());

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A way through the command: starts what it needs and gives the options of ssh that take it. */
type Way = (sshd: Sshd) => Promise<string[]>;

async function throughForward(sshd: Sshd, args: readonly string[]): Promise<string[]> {
  const { url } = await serve(sshd.port);
  const { port } = await forward(url, args);
  return ['HostName=127.0.0.1', `Port=${String(port)}`];
}

const ways: Readonly<Record<string, Way>> = {
  ws: async ({ port }) => {
    const { url } = await serve(port);
    return [`ProxyCommand=${WSCONN} connect ${url}`];
  },
  'wss with a private CA': async ({ port }) => {
    const { url } = await serve(port, ['--tls-cert', server.cert, '--tls-key', server.key]);
    return [`ProxyCommand=${WSCONN} connect --ca ${authority.ca} ${url}`];
  },
  'wss with mutual TLS': async ({ port }) => {
    const tls = [
      '--tls-cert',
      server.cert,
      '--tls-key',
      server.key,
      '--tls-client-ca',
      authority.ca,
    ];
    const { url } = await serve(port, tls);
    const mine = `--ca ${authority.ca} --cert ${client.cert} --key ${client.key}`;
    return [`ProxyCommand=${WSCONN} connect ${mine} ${url}`];
  },
  forward: (sshd) => throughForward(sshd, []),
  'forward --mux': (sshd) => throughForward(sshd, ['--mux']),
};

/** Types into a shell on a terminal and reads what it shows, as a person would. */
async function interactiveSession(options: readonly string[], login: string): Promise<void> {
  const shell = new WatchedProgram('python3', [
    ON_A_TERMINAL,
    'ssh',
    '-tt',
    ...options,
    login,
    'exec /bin/sh',
  ]);
  await shell.prints(/[$#] $/);
  shell.write('tty; echo sum=$((40+2))\n');
  await shell.prints(/\/dev\/pts\/\d+/);
  await shell.prints(/sum=42/);
  shell.write('cat\n');
  shell.write('typed\n');
  // Once as the terminal's echo, once as cat's answer.
  await shell.prints(/typed\r\n[^]*typed\r\n/);
  // Ctrl-C goes to cat over there, and not to the command in between.
  shell.write('\u0003');
  // The prompt, too: what is typed before it is thrown away together with cat.
  await shell.prints(/\^C[^]*[$#] $/);
  shell.write('exit 7\n');
  expect(await shell.ended).toMatchObject({ code: 7 });
}

async function copyThere(options: readonly string[], login: string): Promise<void> {
  const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')];
  await writeFile(from, bytesOf(1, 64 * MIB));
  expect(await run('scp', ['-q', ...options, from, `${login}:${to}`])).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(await sha256OfFile(to)).toBe(await sha256OfFile(from));
}

async function twentyAtOnce(options: readonly string[], login: string): Promise<void> {
  const sessions = Array.from({ length: 20 }, async (_, index) => {
    const text = `session ${String(index)}`;
    const { code, stdout, stderr } = await run('ssh', [...options, login, 'cat'], { input: text });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: text, stderr: '' });
  });
  await Promise.all(sessions);
}

function describeWay(name: string, start: Way, sshd: () => Sshd): void {
  describe(`OpenSSH over ${name}`, () => {
    async function options(): Promise<string[]> {
      return [...sshd().sshOptions, ...(await start(sshd())).flatMap((option) => ['-o', option])];
    }

    test('holds an interactive session on a terminal', { timeout: 120_000 }, async () => {
      await interactiveSession(await options(), sshd().destination);
    });

    test('copies 64 MiB with scp', { timeout: 240_000 }, async () => {
      await copyThere(await options(), sshd().destination);
    });

    test('holds 20 sessions at once', { timeout: 240_000 }, async () => {
      await twentyAtOnce(await options(), sshd().destination);
    });
  });
}

describeWith('sshd', 'the command', (path) => {
  let sshd: Sshd;

  beforeAll(async () => {
    sshd = await startSshd(path);
  });
  afterAll(() => sshd.stop());

  for (const [name, start] of Object.entries(ways)) describeWay(name, start, () => sshd);

  describeWith('tinyproxy', 'tinyproxy', (tinyproxy) => {
    const start: Way = async ({ port }) => {
      const { url } = await serve(port, ['--tls-cert', server.cert, '--tls-key', server.key]);
      const proxy = await startTinyproxy(tinyproxy, folder.path);
      return [`ProxyCommand=${WSCONN} connect --ca ${authority.ca} --proxy ${proxy.url} ${url}`];
    };
    describeWay('wss through a real HTTP proxy', start, () => sshd);
  });
});
