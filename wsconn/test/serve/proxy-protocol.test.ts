/** What targets learn of clients by --proxy-protocol: HAProxy, nginx and the log of sshd. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { ask } from '../../../test/support/observers/scrape.ts';
import { target } from '../../../test/support/peers/target.ts';
import { describeWith, describeWithFile } from '../../../test/support/programs/program.ts';
import { startStrictSshd } from '../../../test/support/programs/sshd.ts';
import { run, WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { nginx, startProxy } from '../../../test/support/proxies/nginx-haproxy.ts';
import { readAll } from '../../../test/support/reading.ts';
import { forward, serve, wsconn, WSCONN } from '../../../test/support/wsconn.ts';

const NOBODY = '0d0a0d0a000d0a515549540a20000000';
/** An address of this machine that nothing else comes from. */
const CLIENT = '127.0.0.5';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Starts a target that answers with what it got, in hex. */
function hexTarget(): Promise<number> {
  return target((socket) => {
    void readAll(socket).then((all) => socket.end(all.toString('hex')));
  });
}

/** Accepts connections on a port of its own, and goes on to another one from `CLIENT`. */
async function comeFromClient(to: number): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const on = { host: '127.0.0.1', port: to, localAddress: CLIENT, allowHalfOpen: true };
    const onward = net.connect(on);
    for (const each of [socket, onward]) each.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('every stream of a multiplexer has a header of its own, before any byte', async () => {
  const { url, port } = await serve(await hexTarget(), ['--proxy-protocol']);
  const local = await forward(url, ['--mux']);
  const ports = new Set<string>();
  for (const text of ['one', '']) {
    const socket = net.connect({ port: local.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(text);
    const got = (await readAll(socket)).toString();
    const to = port.toString(16).padStart(4, '0');
    const sent = Buffer.from(text).toString('hex');
    const header = new RegExp(
      `^0d0a0d0a000d0a515549540a2111000c7f0000017f000001(....)${to}${sent}$`,
    );
    expect(got).toMatch(header);
    ports.add(header.exec(got)?.[1] ?? '');
  }
  // It is the client of the WebSocket that they both have.
  expect(ports.size).toBe(1);
});

test('a client on a unix socket is nobody', async () => {
  const path = join(folder.path, 'listen');
  const to = String(await hexTarget());
  const args = ['serve', '--listen', `unix:${path}`, '--to', to, '--proxy-protocol'];
  await wsconn(args).prints(/listening on/);
  const adapter = connect(`ws+unix:${path}:/`);
  adapter.end('x');
  expect((await readAll(adapter)).toString()).toBe(`${NOBODY}78`);
  await closeOf(adapter);
});

test('a target that expects a header gets one from the check of /readyz too', async () => {
  const got: Promise<Buffer>[] = [];
  const to = await target((socket) => {
    got.push(readAll(socket));
    socket.end();
  });
  const { program } = await serve(to, ['--proxy-protocol', '--admin', '127.0.0.1:0']);
  const [, port] = await program.prints(/health and figures on [^:]+:(\d+)/);
  expect(await ask({ port: Number(port) }, '/readyz?targets')).toMatchObject({ status: 200 });
  expect((await Promise.all(got)).map((all) => all.toString('hex'))).toEqual([NOBODY]);
});

describeWith('haproxy', 'a real HAProxy as the target', (program) => {
  test.each([
    { host: '127.0.0.1', from: CLIENT },
    { host: '[::1]', from: '::1' },
  ])('knows who comes to $host', async ({ host, from }) => {
    const port = await freePort();
    const file = join(folder.path, 'haproxy.conf');
    await writeFile(
      file,
      `
defaults
  mode http
  timeout client 5s
frontend it
  bind 127.0.0.1:${String(port)} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"
`,
    );
    const haproxy = new WatchedProgram(program, ['-W', '-db', '-f', file]);
    onTestFinished(async () => {
      // Killed, it would leave its worker behind.
      haproxy.kill();
      await haproxy.ended;
    });
    await haproxy.prints(/Loading success/);
    const to = ['--to', String(port), '--proxy-protocol'];
    const server = wsconn(['serve', '--listen', `${host}:0`, ...to]);
    const [, url = '', listens] = await server.prints(/listening on (ws:\S+:(\d+)),/);
    const adapter = connect(url, { localAddress: from });
    await once(adapter, 'connect');
    const mine = String(adapter.localPort);
    adapter.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const [, body] = (await readAll(adapter)).toString().split('\r\n\r\n');
    const at = host.replace(/[[\]]/g, '');
    expect(body).toBe(`${from} ${mine} ${at} ${String(listens)}`);
    await closeOf(adapter);
  });
});

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

describeWithFile(STREAM_MODULE, 'libnginx-mod-stream', 'behind a real nginx', () => {
  describeWith('nginx', 'that takes the header off', (program) => {
    describeWith('sshd', 'a real sshd', (sshdProgram) => {
      test('logs the address of the client, as fail2ban reads it', async () => {
        const sshd = await startStrictSshd(sshdProgram);
        onTestFinished(() => sshd.stop());
        const kind = {
          ...nginx,
          // Goes on from the address of the client: any of 127.0.0.0/8 is one of this machine.
          configuration: (port: number, to: number, _limit: number, at: string) => `
            load_module ${STREAM_MODULE};
            daemon off;
            pid ${at}/nginx.pid;
            error_log stderr notice;
            events {}
            stream {
              server {
                listen 127.0.0.1:${String(port)} proxy_protocol;
                set_real_ip_from 127.0.0.1;
                proxy_bind $remote_addr;
                proxy_pass 127.0.0.1:${String(to)};
              }
            }
          `,
        };
        const front = await startProxy(kind, program, sshd.port, 0);

        onTestFinished(() => front.stop());
        const { port } = await serve(front.port, ['--proxy-protocol']);
        const from = await comeFromClient(port);
        const command = `ProxyCommand=${WSCONN} connect ws://127.0.0.1:${String(from)}`;
        const args = [...sshd.sshOptions, '-o', command, sshd.destination, 'echo here'];
        expect(await run('ssh', args, { input: '' })).toMatchObject({ code: 0, stdout: 'here\n' });
        const [line] = await sshd.logs(/Accepted publickey for \S+ from (\S+) port \d+/);
        expect(line).toMatch(/ from 127\.0\.0\.5 port /);
        // A login that fails is what fail2ban looks for.
        const stranger = sshd.destination.replace(/^[^@]*/, 'nobody-here');
        const wrong = args.map((arg) => (arg === sshd.destination ? stranger : arg));
        expect(await run('ssh', wrong, { input: '' })).toMatchObject({ code: 255 });
        await sshd.logs(/Invalid user nobody-here from 127\.0\.0\.5 port \d+/);
      });
    });
  });
});
