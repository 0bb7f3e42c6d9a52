/** Servers that check the certificates of clients: each line says what is wrong with that of --cert. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { type Certificate, makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import {
  haproxy,
  nginx,
  type ProxyKind,
  startProxy,
} from '../../../test/support/proxies/nginx-haproxy.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

type Kind = 'none' | 'good' | 'of another CA' | 'expired' | 'for servers';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let ca: string;
let server: Certificate;
let clients: ReadonlyMap<Kind, Certificate>;

beforeAll(async () => {
  folder = await makeFolder();
  const elsewhere = await makeFolder();
  const authority = await makeAuthority(folder.path);
  const other = await makeAuthority(elsewhere.path);
  ca = authority.ca;
  server = await authority.sign('server');
  const stranger = await other.sign('stranger');
  // What is of the other folder goes with it.
  const moved = { cert: join(folder.path, 'stranger.pem'), key: join(folder.path, 'stranger.key') };
  await writeFile(moved.cert, await readFile(stranger.cert));
  await writeFile(moved.key, await readFile(stranger.key), { mode: 0o600 });
  await elsewhere.remove();
  clients = new Map([
    ['good', await authority.sign('good')],
    ['of another CA', moved],
    ['expired', await authority.sign('expired', 0)],
    ['for servers', await authority.sign('usage', 2, ['extendedKeyUsage=serverAuth'])],
  ]);
});
afterAll(() => folder.remove());

/** Expects of each kind of certificate that connect works, or fails with one line. */
async function expectLines(
  url: string,
  lines: Readonly<Record<Kind, RegExp | 'works'>>,
): Promise<void> {
  for (const [kind, line] of Object.entries(lines)) {
    const client = clients.get(kind as Kind);
    const args = client ? ['--cert', client.cert, '--key', client.key] : [];
    const ended = await runWsconn(['connect', '--ca', ca, ...args, url], { input: 'hello' });
    if (line === 'works') {
      expect(ended, kind).toEqual({ code: 0, stdout: 'hello', stderr: '' });
    } else {
      expect(ended, kind).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr, kind).toMatch(/^wsconn connect: 127\.0\.0\.1:\d+: [^\n]+\n$/);
      expect(ended.stderr, kind).toMatch(line);
      expect(ended.stderr, kind).not.toContain('may not speak TLS');
    }
  }
}

describeWith('openssl', 'wsconn serve --tls-client-ca', () => {
  test('is explained', async () => {
    const tls = ['--tls-cert', server.cert, '--tls-key', server.key, '--tls-client-ca', ca];
    const { url } = await serve(await target(echo), tls);
    await expectLines(url, {
      none: /requires a client certificate: give --cert and --key \(ERR_SSL_TLSV13_ALERT_CERT/,
      good: 'works',
      'of another CA': /if the server refuses the certificate of --cert, use one that is signed by/,
      expired: /; the certificate of --cert has expired \(\d{4}-\d\d-\d\d\): renew it\n/,
      'for servers':
        /; the certificate of --cert is not for clients \(.*clientAuth\): have one issued/,
    });
  });
});

/** Starts a proxy with TLS before `wsconn serve`; returns its URL. */
async function startTls(
  kind: ProxyKind,
  program: string,
  configuration: ProxyKind['configuration'],
): Promise<string> {
  const { port } = await serve(await target(echo));
  const proxy = await startProxy({ ...kind, configuration }, program, port, 10);
  onTestFinished(proxy.stop);
  return `wss://127.0.0.1:${String(proxy.port)}`;
}

describeWith('haproxy', 'HAProxy with verify required', (program) => {
  test.each(['TLSv1.2', 'TLSv1.3'])('over %s is explained', async (version) => {
    const both = join(folder.path, 'server.both');
    await writeFile(
      both,
      (await readFile(server.cert, 'utf8')) + (await readFile(server.key, 'utf8')),
    );
    const url = await startTls(
      haproxy,
      program,
      (port, to) => `
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
listen web
  bind 127.0.0.1:${String(port)} ssl crt ${both} ca-file ${ca} verify required ssl-min-ver ${version} ssl-max-ver ${version}
  server target 127.0.0.1:${String(to)}
`,
    );
    await expectLines(url, {
      none: /requires? .*--cert and --key/,
      good: 'works',
      'of another CA': /does not know the CA of the certificate of --cert: use one that its CA has/,
      expired: /the server refuses the certificate of --cert, which has expired \(\d{4}-/,
      'for servers': /refuses the certificate of --cert, which is not for clients \(.*clientAuth/,
    });
  });
});

describeWith('nginx', 'nginx with ssl_verify_client on', (program) => {
  test('is explained', async () => {
    const url = await startTls(nginx, program, (port, to, limit, path) =>
      nginx.configuration(port, to, limit, path).replace(
        /listen (.*);/,
        `listen $1 ssl;
          ssl_certificate ${server.cert};
          ssl_certificate_key ${server.key};
          ssl_client_certificate ${ca};
          ssl_verify_client on;`,
      ),
    );
    await expectLines(url, {
      none: /\(400\).*; nginx answers so too if it requires a client certificate, give --cert and --key/,
      good: 'works',
      'of another CA':
        /\(400\).*; nginx answers so too if it refuses the certificate of --cert, use one/,
      expired: /\(400\).*; the certificate of --cert has expired/,
      'for servers': /\(400\).*; the certificate of --cert is not for clients/,
    });
  });
});

describe('a certificate', () => {
  test('that is not valid yet is told', async () => {
    const { faultOf } = await import('../../src/dial/client-certificate.ts');
    const good = clients.get('good') ?? server;
    const text = await readFile(good.cert, 'utf8');
    expect(faultOf(text)).toBeUndefined();
    expect(faultOf(text, new Date(0))).toMatch(/^is not valid before \d{4}-\d\d-\d\d: check the/);
  });
});
