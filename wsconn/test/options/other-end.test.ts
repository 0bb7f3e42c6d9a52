/** What can be wrong with the other end: one clear line each. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createServer } from '../../../src/index.ts';
import { fails } from '../../../test/support/fails.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { runWsconn, serve, wsconn, WSCONN } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('the other end', () => {
  test('wants a token: 401 without one, or with a wrong one', async () => {
    const token = await folder.file('token', 'open-sesame\n');
    const wrong = await folder.file('wrong', 'open-barley\n');
    const { url } = await serve(await target(echo), ['--token-file', token]);
    await fails(['connect', url], /requires a valid token \(401\): check that of --token-file/);
    await fails(['connect', '--token-file', wrong, url], /requires a valid token \(401\)/);
    const right = await runWsconn(['connect', '--token-file', token, url], { input: 'hi' });
    expect(right).toEqual({ code: 0, stdout: 'hi', stderr: '' });
    const byVariable = await runWsconn(['connect', url], {
      input: 'hi',
      env: { WSCONN_TOKEN: 'open-sesame' },
    });
    expect(byVariable).toMatchObject({ code: 0, stdout: 'hi' });
  });

  test('has nothing at the path', async () => {
    const { url } = await serve(await target(echo), ['--path', '/here']);
    await fails(['connect', url.replace('/here', '/there')], /nothing at that path \(404\)/);
  });

  test('answers a plain HTTP request with 426 and one line of help', async () => {
    const { url } = await serve(await target(echo));
    const response = await fetch(url.replace('ws:', 'http:'));
    expect(response.status).toBe(426);
    expect(await response.text()).toMatch(
      /^This is a WebSocket endpoint: .*npx wsconn connect ws:\/\/[^\n]+\n$/,
    );
  });

  test('cannot reach its target: it says so with Close 1014, and the client prints it', async () => {
    const { program, url } = await serve(await freePort());
    await fails(
      ['connect', url],
      /closed the connection \(1014\): the target of this server cannot be reached \(ECONNREFUSED\)/,
    );
    await program.prints(/cannot reach the target 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  });

  test('loses its target in the middle: it says so with Close 1014', async () => {
    const to = await target((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { url } = await serve(to);
    const program = wsconn(['connect', url]);
    program.write('x');
    expect(await program.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^wsconn connect: .*\(1014\): the target cut the connection \(ECONNRESET\)\n$/,
      ) as string,
    });
  });

  test('is not there', async () => {
    await fails(
      ['connect', `ws://127.0.0.1:${String(await freePort())}`],
      /connection refused: .*\(ECONNREFUSED\)/,
    );
  });

  test('is no WebSocket server', async () => {
    const server = http
      .createServer((_request, response) => response.end('a page'))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await fails(
      ['connect', `ws://127.0.0.1:${String(port)}`],
      /answered with HTTP status 200: check the URL/,
    );
  });

  test('speaks no TLS', async () => {
    const { url } = await serve(await target(echo));
    await fails(['connect', url.replace('ws:', 'wss:')], /may not speak TLS: try ws:\/\//);
  });

  test('sends line ends and escapes in its reason: they do not get to the terminal', async () => {
    await using server = createServer((adapter) => {
      void adapter.close(4000, 'first line\nsecond \u001b[31mred');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await fails(
      ['connect', `ws://127.0.0.1:${String(port)}`],
      /\(4000\): first line\\nsecond \\u001b\[31mred/,
    );
  });

  test('goes away with Close 1001: what came may be a part', async () => {
    await using server = createServer((adapter) => {
      adapter.write('a part');
      void adapter.close(1001, 'reload');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await runWsconn(['connect', `ws://127.0.0.1:${String(port)}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^wsconn connect: .*the server or a proxy in front of it went away \(1001\): reload: .*\n$/,
    );
  });

  test('listens already: the port is in use', async () => {
    const port = await target(echo);
    const listen = `127.0.0.1:${String(port)}`;
    const line =
      /cannot listen on 127\.0\.0\.1:\d+: another program listens there already.*\(EADDRINUSE\)/;
    const ended = await runWsconn(['serve', '--listen', listen, '--to', '127.0.0.1:1']);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(line) as string });
    const other = await runWsconn(['forward', '--listen', listen, 'ws://127.0.0.1:1']);
    expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(line) as string });
  });

  test('is behind a proxy that is not there, which is named', async () => {
    const proxy = `127.0.0.1:${String(await freePort())}`;
    const url = 'ws://example.invalid/';
    await fails(
      ['connect', '--proxy', `http://${proxy}`, url],
      new RegExp(`the proxy ${proxy} cannot be used: connection refused`),
    );
    const env = { HTTPS_PROXY: `http://${proxy}` };
    await fails(['connect', url], /the proxy .*, which HTTPS_PROXY names, cannot be used/, 1, env);
  });

  test('gets no word when the reader of stdout has seen enough', async () => {
    const { url } = await serve(await target(echo));
    const command = `yes | ${WSCONN} connect ${url} | head -c 20 >&2; exit "\${PIPESTATUS[1]}"`;
    const { code, stderr } = await new WatchedProgram('bash', ['-c', command]).ended;
    // 128 and the number of SIGPIPE.
    expect({ code, stderr }).toEqual({ code: 141, stderr: 'y\n'.repeat(10) });
  });

  test('shows a stack with --verbose only', async () => {
    const url = `ws://127.0.0.1:${String(await freePort())}`;
    const { stderr } = await runWsconn(['connect', '--verbose', url]);
    expect(stderr).toMatch(/\n +at /);
  });
});

describeWith('openssl', 'TLS', () => {
  test('with an unknown CA, an expired certificate or none of the client is explained', async () => {
    const authority = await makeAuthority(folder.path);
    const good = await authority.sign('good');
    const old = await authority.sign('old', 0);
    const to = await target(echo);
    const tls = ({ cert, key }: typeof good): string[] => ['--tls-cert', cert, '--tls-key', key];
    const { url } = await serve(to, tls(good));
    await fails(
      ['connect', url],
      /CA of the server is not known here: name its certificate with --ca/,
    );
    const expired = await serve(to, tls(old));
    await fails(
      ['connect', '--ca', authority.ca, expired.url],
      /certificate of the server has expired/,
    );
    const mutual = await serve(to, [...tls(good), '--tls-client-ca', authority.ca]);
    await fails(
      ['connect', '--ca', authority.ca, mutual.url],
      /server requires a client certificate: give --cert/,
    );
    const named = ['connect', '--ca', authority.ca, url.replace('127.0.0.1', 'localhost')];
    expect(await runWsconn(named, { input: 'x' })).toMatchObject({ code: 0, stdout: 'x' });
  });
});

describeWith('tinyproxy', 'a proxy', (tinyproxy) => {
  test('that refuses is told apart from the server', async () => {
    const { startTinyproxy } = await import('../../../test/support/proxies/tinyproxy.ts');
    const { url } = await serve(await target(echo));
    const strict = await startTinyproxy(tinyproxy, folder.path, ['ConnectPort 1']);
    await fails(
      ['connect', '--proxy', strict.url, url],
      /the proxy .* does not allow this address or port \(403\)/,
    );
  });

  test('of HTTPS_PROXY is taken, unless NO_PROXY names the server', async () => {
    const { startTinyproxy } = await import('../../../test/support/proxies/tinyproxy.ts');
    const { url } = await serve(await target(echo));
    const proxy = await startTinyproxy(tinyproxy, folder.path);
    const env = { HTTPS_PROXY: proxy.url };
    expect(await runWsconn(['connect', url], { input: 'x', env })).toMatchObject({
      code: 0,
      stdout: 'x',
    });
    await proxy.program.prints(/CONNECT 127\.0\.0\.1/);
    const nobody = { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' };
    expect(await runWsconn(['connect', url], { input: 'x', env: nobody })).toMatchObject({
      code: 0,
      stdout: 'x',
    });
  });
});
