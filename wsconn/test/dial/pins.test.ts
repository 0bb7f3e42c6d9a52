/** --pin and --servername, against servers whose keys openssl knows. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import tls from 'node:tls';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { listenForTest } from '../../../test/support/peers/listen.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import {
  type Authority,
  type Certificate,
  makeAuthority,
} from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { startMicrosocks } from '../../../test/support/proxies/socks.ts';
import { startTinyproxy } from '../../../test/support/proxies/tinyproxy.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let authority: Authority;
let server: Certificate;

beforeAll(async () => {
  folder = await makeFolder();
  authority = await makeAuthority(folder.path);
  server = await authority.sign('server');
});
afterAll(() => folder.remove());

/** Returns the pin of a certificate, as the manual of curl says to make it. */
function pinOf(openssl: string, { cert }: Certificate): string {
  const shell = `'${openssl}' x509 -in '${cert}' -pubkey -noout | '${openssl}' pkey -pubin -outform der | '${openssl}' dgst -sha256 -binary | '${openssl}' enc -base64`;
  return `sha256/${execFileSync('sh', ['-c', shell], { encoding: 'utf8' }).trim()}`;
}

const WRONG = `sha256/${'A'.repeat(43)}=`;
const tlsOf = ({ cert, key }: Certificate): string[] => ['--tls-cert', cert, '--tls-key', key];

/** Starts a TLS server that collects what it reads after the handshake. */
async function listen({
  cert,
  key,
}: Certificate): Promise<{ port: number; read: Buffer[]; ends: Promise<void> }> {
  const read: Buffer[] = [];
  const server = tls.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
  const ends = new Promise<void>((resolve) => {
    server.on('connection', (socket: net.Socket) =>
      socket.once('close', () => {
        resolve();
      }),
    );
  });
  server.on('secureConnection', (socket) => {
    socket.on('data', (chunk: Buffer) => read.push(chunk));
    socket.on('error', () => undefined);
  });
  return { port: await listenForTest(server), read, ends };
}

describeWith('openssl', '--pin', (openssl) => {
  test('lets in the server of that key, and no other: the line has the pin to copy', async () => {
    const pin = pinOf(openssl, server);
    const { url } = await serve(await target(echo), tlsOf(server));
    const run = (...pins: string[]): ReturnType<typeof runWsconn> =>
      runWsconn(
        ['connect', '--ca', authority.ca, ...pins.flatMap((each) => ['--pin', each]), url],
        {
          input: 'hello',
        },
      );
    const works = { code: 0, stdout: 'hello', stderr: '' };
    expect(await run(pin)).toEqual(works);
    expect(await run(WRONG, pin)).toEqual(works);
    // As curl writes it.
    expect(await run(pin.replace('/', '//'))).toEqual(works);
    const { code, stdout, stderr } = await run(WRONG);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^wsconn connect: 127\.0\.0\.1:\d+: the server has another public key than --pin says; [^\n]+\n$/,
    );
    const [, copied = ''] = /give --pin (\S+)\n$/.exec(stderr) ?? [];
    expect(copied).toBe(pin);
    expect(await run(copied)).toEqual(works);
    const env = { WSCONN_PIN: `${WRONG}\n${pin}` };
    for (const command of [
      ['ping', '--count', '1'],
      ['doctor', '--steps', '0.1'],
    ]) {
      const args = [...command, '--ca', authority.ca, url];
      expect(await runWsconn(args, { env })).toMatchObject({ code: 0 });
      const failed = await runWsconn(args, { env: { WSCONN_PIN: WRONG } });
      expect(failed.stderr).toContain(`give --pin ${pin}\n`);
    }
  });

  test('does not replace the CA, nor the name', async () => {
    const pin = pinOf(openssl, server);
    const { url } = await serve(await target(echo), tlsOf(server));
    const unknown = await runWsconn(['connect', '--pin', pin, url]);
    expect(unknown.stderr).toMatch(/CA of the server is not known here/);
    const args = ['connect', '--pin', pin, '--ca', authority.ca, '--servername', 'a.example', url];
    const misnamed = await runWsconn(args);
    expect(misnamed.stderr).toMatch(/is for another host name/);
  });

  test('is checked before a byte of the request is sent, with the token in it', async () => {
    const { port, read, ends } = await listen(server);
    const args = ['--ca', authority.ca, '--pin', WRONG, `wss://127.0.0.1:${String(port)}`];
    const { code, stderr } = await runWsconn(['connect', ...args], {
      env: { WSCONN_TOKEN: 'open-sesame' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/another public key/);
    await ends;
    expect(Buffer.concat(read).toString()).toBe('');
    // What would have come: the server is one that reads.
    const right = runWsconn(['ping', '--ca', authority.ca, ...args.slice(4)], {
      env: { WSCONN_TOKEN: 'open-sesame' },
    });
    const arrived = expect.poll(() => Buffer.concat(read).toString(), { timeout: 20_000 });
    await arrived.toContain('open-sesame');
    void right;
  });
});

describeWith('openssl', '--servername', () => {
  test('is asked for and verified, such as where the URL has an address', async () => {
    const named = await authority.sign('named', 2, ['subjectAltName=DNS:a.example']);
    const names: (string | false | null)[] = [];
    const { port } = await serve(await target(echo), tlsOf(named));
    const watched = tls.createServer({
      cert: readFileSync(named.cert),
      key: readFileSync(named.key),
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    watched.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      socket.end();
    });
    const watchedPort = await listenForTest(watched);
    const args = ['connect', '--ca', authority.ca, '--servername', 'a.example'];
    const at = (to: number): string => `wss://127.0.0.1:${String(to)}`;
    expect(await runWsconn([...args, at(port)], { input: 'hello' })).toEqual({
      code: 0,
      stdout: 'hello',
      stderr: '',
    });
    await runWsconn([...args, at(watchedPort)]);
    expect(names).toEqual(['a.example']);
    const without = await runWsconn(['connect', '--ca', authority.ca, at(port)]);
    expect(without.stderr).toMatch(/is for another host name: check the URL/);
  });
});

/** Expects of a proxy that a server is verified through it as without it. */
async function verifies(openssl: string, proxy: string): Promise<void> {
  const env = { WSCONN_PROXY: proxy };
  const pin = pinOf(openssl, server);
  const { url } = await serve(await target(echo), tlsOf(server));
  const run = (...args: string[]): ReturnType<typeof runWsconn> =>
    runWsconn(['connect', '--ca', authority.ca, ...args], { input: 'hello', env });
  const works = { code: 0, stdout: 'hello', stderr: '' };
  expect(await run('--pin', pin, url)).toEqual(works);
  const wrong = await run('--pin', WRONG, url);
  expect(wrong.stderr).toContain(`give --pin ${pin}\n`);
  // An address needs a certificate for it: that of the proxy, or localhost, is not enough.
  const named = await authority.sign(`only-localhost-${String(Math.random())}`, 2, [
    'subjectAltName=DNS:localhost',
  ]);
  const { url: other } = await serve(await target(echo), tlsOf(named));
  expect(await run(other.replace('127.0.0.1', 'localhost'))).toEqual(works);
  expect(await run('--servername', 'localhost', other)).toEqual(works);
  const misnamed = await run(other);
  expect(misnamed).toMatchObject({ code: 1, stdout: '' });
  expect(misnamed.stderr).toMatch(/: the certificate of the server is for another host name/);
  const { port, read, ends } = await listen(server);
  const args = ['--ca', authority.ca, '--pin', WRONG, `wss://127.0.0.1:${String(port)}`];
  const token = { WSCONN_TOKEN: 'open-sesame', ...env };
  expect(await runWsconn(['connect', ...args], { env: token })).toMatchObject({ code: 1 });
  await ends;
  expect(read).toEqual([]);
}

describeWith('openssl', 'a server behind a proxy is verified', (openssl) => {
  describeWith('tinyproxy', 'for HTTP', (tinyproxy) => {
    test('as without one', async () => {
      const { url } = await startTinyproxy(tinyproxy, folder.path);
      await verifies(openssl, url.replace('127.0.0.1', 'localhost'));
    });
  });
  describeWith('microsocks', 'for SOCKS', (microsocks) => {
    test('as without one', async () => {
      const port = await startMicrosocks(microsocks);
      await verifies(openssl, `socks5h://localhost:${String(port)}`);
    });
  });
});
