/** How wsconn serve and forward say whether they live and take connections. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { ask } from '../../../test/support/observers/scrape.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { haproxy, nginx, startProxy } from '../../../test/support/proxies/nginx-haproxy.ts';
import { forward, runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';
import { ADMIN, adminOf } from './start-admin.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Opens a connection, so that a server has something to drain. */
async function dial(url: string): Promise<ReturnType<typeof connect>> {
  const adapter = connect(url);
  adapter.on('error', () => undefined);
  onTestFinished(async () => {
    adapter.destroy();
    await closeOf(adapter);
  });
  await once(adapter, 'connect');
  return adapter;
}

describe('--admin', () => {
  test('answers while it drains, not ready any more, and ends last', async () => {
    const { program, url } = await serve(await target(echo), [...ADMIN, '--drain', '60']);
    const at = await adminOf(program);
    const status = async (path: string): Promise<string> => {
      const { status: code, body } = await ask(at, path);
      return `${String(code)} ${body.trim()}`;
    };
    expect(await status('/healthz')).toBe('200 ok');
    expect(await status('/readyz')).toBe('200 ready');
    const adapter = await dial(url);
    program.kill();
    await program.prints(/no new connections/);
    expect(await status('/healthz')).toBe('200 ok');
    expect(await status('/readyz')).toBe('503 stopping');
    expect(await status('/metrics')).toMatch(/^200 [^]*wsconn_open_connections\{.*\} 1\n/);
    // An idle client of it does not hold it up.
    const idle = net.connect({ ...at, host: '127.0.0.1' });
    await once(idle, 'connect');
    adapter.end();
    adapter.resume();
    expect(await program.ended).toMatchObject({ code: 0 });
    await closeOf(idle);
    await expect(ask(at, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('of forward does the same', async () => {
    const { url } = await serve(await target(echo));
    const { program } = await forward(url, ADMIN);
    const at = await adminOf(program);
    expect(await ask(at, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test('checks the targets where it is asked to', async () => {
    const dead = ['--to', 'dead=127.0.0.1:1'];
    const live = await serve(await target(echo), ADMIN);
    const half = await serve(await target(echo), [...ADMIN, ...dead]);
    expect(await ask(await adminOf(live.program), '/readyz?targets')).toMatchObject({
      status: 200,
      body: '(unnamed): ok\n',
    });
    const at = await adminOf(half.program);
    expect(await ask(at, '/readyz?targets')).toMatchObject({
      status: 503,
      body: expect.stringMatching(
        /^\(unnamed\): ok\ndead: cannot reach.*ECONNREFUSED\)\n$/,
      ) as string,
    });
    expect(await ask(at, '/readyz')).toMatchObject({ status: 200 });
  });

  test('answers 404 and 405 to all else, and HEAD without a body', async () => {
    const { program } = await serve(await target(echo), ADMIN);
    const at = await adminOf(program);
    for (const path of ['/', '/metrics/', '/__proto__', '/constructor', '//healthz']) {
      expect(await ask(at, path)).toMatchObject({ status: 404 });
    }
    expect(await ask(at, '/metrics', 'POST')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    expect(await ask(at, '/healthz', 'HEAD')).toMatchObject({
      status: 200,
      headers: { 'content-length': '3' },
      body: '',
    });
    // A WebSocket has no business here either.
    expect(await runWsconn(['connect', `ws://127.0.0.1:${String(at.port)}/healthz`])).toMatchObject(
      { code: 1 },
    );
  });

  test('ends requests that are never whole', async () => {
    const { program } = await serve(await target(echo), ADMIN);
    const socket = net.connect({ ...(await adminOf(program)), host: '127.0.0.1' });
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
    socket.resume();
    await closeOf(socket);
  });

  test('listens on a unix socket too', async () => {
    const path = join(folder.path, 'admin');
    const { program } = await serve(await target(echo), ['--admin', `unix:${path}`]);
    await program.prints(new RegExp(`health and figures on unix:${path}\n`));
    expect(await ask({ socketPath: path }, '/healthz')).toMatchObject({ status: 200 });
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
    await expect(ask({ socketPath: path }, '/healthz')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('warns once where others reach it', async () => {
    // An address for documentation (RFC 5737): nobody has it, so that nothing listens there.
    const program = wsconn([
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--to',
      '1',
      '--admin',
      '192.0.2.1:0',
    ]);
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /warning: everybody who reaches 192\.0\.2\.1:0 sees the figures of --admin/,
    );
    expect(stderr.match(/warning:/g)).toHaveLength(1);
    expect(stderr).toMatch(/cannot listen on 192\.0\.2\.1:0/);
  });

  test.each([
    [['serve', '--listen', ':0', '--to', '1', '--admin', 'nonsense'], /--admin must be HOST:PORT/],
    [
      ['serve', '--listen', ':0', '--to', '1', '--admin', 'unix:x'],
      /--admin must begin with unix:\//,
    ],
    [['serve', '--listen', ':0', '--to', '1', '--admin'], /--admin needs a value/],
    [
      ['serve', '--listen', ':0', '--to', '1', '--proxy-protocol=2'],
      /--proxy-protocol takes no value/,
    ],
    [['forward', '--listen', ':0', '--admin', ':70000', 'ws://h'], /--admin must be HOST:PORT/],
    [
      ['forward', '--listen', '-', '--admin', ':0', 'ws://h'],
      /--admin serves a --listen with a port/,
    ],
    [['serve', '--listen', 'systemd', '--to', '1'], /--listen needs a socket of systemd, but none/],
    [['serve', '--listen', 'systemd:web', '--to', '1'], /--listen needs a socket of systemd/],
    [['forward', '--listen', 'systemd', 'ws://h'], /--listen needs a socket of systemd/],
    [
      ['serve', '--listen', ':0', '--to', '1', '--admin', 'systemd'],
      /--admin needs a socket of systemd/,
    ],
    [['serve', '--listen', ':0', '--to', 'systemd'], /--to must be HOST:PORT/],
  ])('%j is refused in one line, with exit code 2', async (args, line) => {
    const { code, stdout, stderr } = await runWsconn(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toMatch(line);
  });

  test('an empty variable is refused, and variables count', async () => {
    const args = ['serve', '--listen', '127.0.0.1:0', '--to', '1'];
    const env = { WSCONN_ADMIN: '' };
    expect(await runWsconn(args, { env })).toMatchObject({
      code: 2,
      stderr: 'wsconn serve: WSCONN_ADMIN is set and empty: give it a value, or unset it\n',
    });
    const set = { WSCONN_ADMIN: '127.0.0.1:0', WSCONN_PROXY_PROTOCOL: 'yes' };
    const program = wsconn(args, { env: set });
    const at = await adminOf(program);
    expect(await ask(at, '/healthz')).toMatchObject({ status: 200 });
  });
});

describeWith('haproxy', 'the health checks of a real HAProxy', (program) => {
  test('take a server out that stops, by its main port and by that of --admin', async () => {
    const {
      program: server,
      port,
      url,
    } = await serve(await target(echo), [
      ...ADMIN,
      ...['--path', '/tunnel', '--lame-duck', '60', '--drain', '0'],
    ]);
    const admin = await adminOf(server);
    const check = (name: string, path: string, checked: number): string => `
backend ${name}
  option httpchk GET ${path}
  http-check expect status 200
  # Else a check fails that takes longer than the time between two, whatever its answer.
  timeout check 30s
  server it 127.0.0.1:${String(checked)} check inter 1s fall 1 rise 1
`;
    const front = await freePort();
    const file = join(folder.path, 'haproxy.conf');
    const backends = [
      check('by-main', '/healthz', port),
      check('by-admin', '/readyz', admin.port),
      check('by-nonsense', '/nonsense', admin.port),
    ];
    // It tells its log alone what its checks have found.
    const configuration = haproxy
      .configuration(front, port, 5, folder.path)
      .replace('mode http', 'mode http\n  log stderr local0');
    await writeFile(file, configuration + backends.join('\n'));
    const proxy = new WatchedProgram(program, ['-W', '-db', '-f', file]);
    onTestFinished(async () => {
      // Killed, it would leave its worker behind.
      proxy.kill();
      await proxy.ended;
    });
    await proxy.prints(/Server by-nonsense\/it is DOWN.*code: 404/);
    const through = await runWsconn(['connect', `ws://127.0.0.1:${String(front)}/tunnel`], {
      input: 'x',
    });
    expect(through).toMatchObject({ code: 0, stdout: 'x' });
    expect(proxy.stderr).not.toMatch(/by-(main|admin)\/it is DOWN/);
    server.kill();
    await proxy.prints(/Server by-main\/it is DOWN.*code: 503/);
    await proxy.prints(/Server by-admin\/it is DOWN.*code: 503/);
    expect(await runWsconn(['connect', `${url}/tunnel`])).toMatchObject({ code: 1 });
  });
});

describeWith('nginx', 'a real nginx', (program) => {
  test('passes on the health of the main port and of --admin', async () => {
    const token = { WSCONN_TOKEN: 'needed-for-tunnels' };
    const { program: server, port } = await serve(await target(echo), ADMIN, { env: token });
    const admin = await adminOf(server);
    for (const checked of [port, admin.port]) {
      const proxy = await startProxy(nginx, program, checked, 5);
      onTestFinished(() => proxy.stop());
      expect(await ask(proxy, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    }
  });
});
