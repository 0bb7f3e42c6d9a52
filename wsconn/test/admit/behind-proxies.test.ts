/** Who a client is where real proxies stand before the server. */
import { onTestFinished, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { ask } from '../../../test/support/handshake.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { forwardingProxies, tcpProxies } from '../../../test/support/proxies/client-address.ts';
import { type ProxyKind, startProxy } from '../../../test/support/proxies/nginx-haproxy.ts';
import { serve } from '../../../test/support/wsconn.ts';

/** Where the client is; the proxy is at 127.0.0.1. */
const CLIENT = '127.0.0.9';
const TRUST = ['--trusted-proxy', '127.0.0.1'];

async function before(port: number, kind: ProxyKind, program: string): Promise<number> {
  const proxy = await startProxy(kind, program, port, 60);
  onTestFinished(() => proxy.stop());
  return proxy.port;
}

for (const kind of forwardingProxies) {
  describeWith(kind.program, `behind ${kind.name} with ${kind.how}`, (program) => {
    test('the client is who the proxy says, and not who he says himself', async () => {
      const server = await serve(await target(echo), TRUST);
      const port = await before(server.port, kind, program);
      const headers = { 'X-Forwarded-For': '203.0.113.66' };
      expect(await ask(port, { from: CLIENT, headers })).toMatchObject({ status: 101 });
      await server.program.prints(/connection 1 from 127\.0\.0\.9 via 127\.0\.0\.1:\d+ opened\n/);
    });

    test('without --trusted-proxy it is shown as what anybody can forge', async () => {
      const server = await serve(await target(echo));
      const port = await before(server.port, kind, program);
      expect(await ask(port, { from: CLIENT })).toMatchObject({ status: 101 });
      await server.program.prints(
        /connection 1 from 127\.0\.0\.1:\d+ \(X-Forwarded-For: "127\.0\.0\.9"\) opened\n/,
      );
    });

    test('each client is refused ever more slowly by itself', async () => {
      const env = { WSCONN_TOKEN: 'right' };
      const args = [...TRUST, '--log-format', 'json'];
      const server = await serve(await target(echo), args, { env });
      const port = await before(server.port, kind, program);
      const order: string[] = [];
      const fail = async (from: string, name: string): Promise<void> => {
        expect(await ask(port, { from, token: 'wrong' })).toMatchObject({ status: 401 });
        order.push(name);
      };
      for (let i = 0; i < 3; i++) await fail(CLIENT, 'first');
      await Promise.all([fail(CLIENT, 'slow'), fail('127.0.0.10', 'other')]);
      expect(order.slice(3)).toEqual(['other', 'slow']);
      await server.program.prints(/"status":401,"from":"127\.0\.0\.10"/);
    });
  });
}

for (const kind of tcpProxies) {
  describeWith(kind.program, `behind ${kind.name} with ${kind.how}`, (program) => {
    test('the client is known over plain TCP, and its X-Forwarded-For is not believed', async () => {
      const server = await serve(await target(echo), TRUST);
      const port = await before(server.port, kind, program);
      const headers = { 'X-Forwarded-For': '203.0.113.66' };
      expect(await ask(port, { from: CLIENT, headers })).toMatchObject({ status: 101 });
      await server.program.prints(
        /connection 1 from 127\.0\.0\.9:\d+ via 127\.0\.0\.1:\d+ opened\n/,
      );
    });

    test('and over TLS, with its certificate', async () => {
      const folder = await makeFolder();
      onTestFinished(() => folder.remove());
      const authority = await makeAuthority(folder.path);
      const [own, alice] = [await authority.sign('server'), await authority.sign('alice')];
      const tls = ['--tls-cert', own.cert, '--tls-key', own.key, '--tls-client-ca', authority.ca];
      const server = await serve(await target(echo), [...TRUST, ...tls]);
      const port = await before(server.port, kind, program);
      const { readFile } = await import('node:fs/promises');
      const read = (path: string): Promise<string> => readFile(path, 'utf8');
      const ca = await read(authority.ca);
      const mine = { ca, cert: await read(alice.cert), key: await read(alice.key) };
      expect(await ask(port, { from: CLIENT, tls: mine })).toMatchObject({ status: 101 });
      await server.program.prints(
        /connection 1 from 127\.0\.0\.9:\d+ via 127\.0\.0\.1:\d+ as "CN=alice" opened\n/,
      );
      await expect(ask(port, { from: CLIENT, tls: { ca } })).rejects.toThrow();
      await server.program.prints(
        /refused the TLS handshake of 127\.0\.0\.9:\d+: it sent no client certificate \(ERR_SSL_PEER_/,
      );
    });

    test('without --trusted-proxy its header is no HTTP', async () => {
      const server = await serve(await target(echo));
      const port = await before(server.port, kind, program);
      const answer = ask(port, { from: CLIENT }).then(({ status }) => status);
      expect(await answer.catch(() => 400)).toBe(400);
      expect(server.program.stderr).not.toContain('opened');
    });
  });
}
