/** Programs that speak SOCKS 5, through `wsconn forward --socks` and `wsconn serve`. */
import { createServer as createHttpServer } from 'node:http';
import net from 'node:net';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { forwardPorts } from '../../../test/support/forward-ports.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { openInChromium } from '../../../test/support/programs/chromium.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { type Sshd, startSshd } from '../../../test/support/programs/sshd.ts';
import { run, type WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { readAll, readExactly } from '../../../test/support/reading.ts';
import { wsconn } from '../../../test/support/wsconn.ts';

const ANY = '127.0.0.1:0';

/** Starts a server that lets clients choose some addresses; returns it and its URL. */
async function serveChosen(
  patterns: readonly string[],
  ...args: string[]
): Promise<{ program: WatchedProgram; url: string }> {
  const allowed = patterns.flatMap((pattern) => ['--allow-connect', pattern]);
  const program = wsconn(['serve', '--listen', ANY, ...allowed, ...args]);
  const [, url = ''] = await program.prints(/listening on (ws:\S+), forwards to addresses that/);
  return { program, url };
}

async function socksPort(
  url: string,
  ...args: string[]
): Promise<{ program: WatchedProgram; port: number }> {
  const { program, ports } = await forwardPorts(['--socks', ANY, ...args, url]);
  return { program, port: ports[0] ?? 0 };
}

/** Starts a web server; returns its port. */
async function website(seen?: (host: string) => void): Promise<number> {
  const server = createHttpServer((request, response) => {
    seen?.(request.headers.host ?? '');
    response.end('the page');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as net.AddressInfo).port;
}

const WAYS = [
  { name: 'a WebSocket each', mux: [] },
  { name: '--mux', mux: ['--mux'] },
];

describeWith('curl', 'curl', (curl) => {
  describe.each(WAYS)('with $name', ({ mux }) => {
    test('gets a page by name and by address, and the server looks the name up', async () => {
      const web = String(await website());
      const { program: server, url } = await serveChosen([`localhost:${web}`, `127.0.0.1:${web}`]);
      const { port } = await socksPort(url, ...mux);
      const proxy = `127.0.0.1:${String(port)}`;
      for (const args of [
        ['--socks5-hostname', proxy, `http://localhost:${web}/`],
        ['--socks5-hostname', proxy, `http://LocalHost.:${web}/`],
        ['--socks5', proxy, `http://127.0.0.1:${web}/`],
        ['--socks5', proxy, `http://[::ffff:127.0.0.1]:${web}/`],
      ]) {
        expect(await run(curl, ['-sS', ...args])).toMatchObject({ code: 0, stdout: 'the page' });
      }
      expect(server.stderr).toContain(`wants "localhost:${web}"`);
      await server.prints(/ended after .*; the (client|target) ended first/);
    });

    test('is told why it gets none, and both logs say so', async () => {
      const dead = String(await freePort());
      const { program: server, url } = await serveChosen([
        ...[`127.0.0.1:${dead}`, '*:443', 'nosuch.invalid:80'],
      ]);
      const { program, port } = await socksPort(url, ...mux);
      const refused = async (page: string, code: number): Promise<void> => {
        const args = ['-sS', '--socks5-hostname', `127.0.0.1:${String(port)}`, page];
        expect(await run(curl, args)).toMatchObject({
          code: 97,
          stderr: expect.stringContaining(`(${String(code)})`) as string,
        });
      };
      await refused(`http://127.0.0.1:${dead}/`, 5);
      await program.prints(
        /connection 1 .*failed: .*\(ECONNREFUSED\): the server cannot reach 127/,
      );
      await refused('http://example.org/', 2);
      await program.prints(
        /connection 2 .*\(EACCES\): --allow-connect does not list "example\.org:80/,
      );
      await server.prints(/ failed \(--allow-connect does not list "example\.org:80"\)/);
      await refused('https://localhost/', 2);
      await server.prints(
        /failed \(--allow-connect does not list the addresses of "localhost:443" \(.*127\.0\.0\.1, of this machine or special/,
      );
      // Where localhost leads to is told to nobody.
      expect(program.stderr).not.toContain('of this machine');
      await refused('https://169.254.169.254/', 2);
      await refused('http://nosuch.invalid/', 4);
    });

    test('gets a refusal where the server refuses the WebSocket', async () => {
      if (mux.length > 0) return;
      const { url } = await serveChosen(['*:*']);
      const { program, port } = await socksPort(url, '--header', 'Origin: https://evil.example');
      const args = ['-sS', '--socks5-hostname', `127.0.0.1:${String(port)}`, 'http://a.example/'];
      expect((await run(curl, args)).stderr).toContain('(2)');
      await program.prints(/connection 1 .*failed: .*denies access \(403\)/);
    });
  });

  test('is told where the server lets nobody choose', async () => {
    const program = wsconn([
      'serve',
      '--listen',
      ANY,
      '--to',
      `127.0.0.1:${String(await target(echo))}`,
    ]);
    const [, url = ''] = await program.prints(/listening on (ws:\S+),/);
    const { program: client, port } = await socksPort(url);
    const args = ['-sS', '--socks5-hostname', `127.0.0.1:${String(port)}`, 'http://a.example/'];
    expect((await run(curl, args)).stderr).toContain('(2)');
    await client.prints(/\(EACCES\): this server connects to no address that clients choose/);
  });

  test('is told where it speaks another protocol', async () => {
    const { url } = await serveChosen(['*:*']);
    const { program, port } = await socksPort(url);
    const proxy = `127.0.0.1:${String(port)}`;
    const http = await run(curl, ['-sS', '-x', `http://${proxy}`, 'http://a.example/']);
    expect(http.stdout).toMatch(/This port speaks SOCKS 5, not HTTP/);
    await program.prints(/connection 1 .*it speaks HTTP: set this port as a SOCKS proxy/);
    const old = await run(curl, ['-sS', '--socks4', proxy, 'http://127.0.0.1/']);
    expect(old.code).toBe(97);
    await program.prints(/connection 2 .*it speaks SOCKS 4: set it to SOCKS 5/);
  });
});

describeWith('nc', 'netcat', (nc) => {
  test.each(WAYS)('passes a half close on, with $name', async ({ mux }) => {
    const to = String(
      await target((socket) => void readAll(socket).then((all) => socket.end(all))),
    );
    const { url } = await serveChosen([`127.0.0.0/8:${to}`]);
    const { port } = await socksPort(url, ...mux);
    const args = ['-N', '-X', '5', '-x', `127.0.0.1:${String(port)}`, '127.0.0.1', to];
    expect(await run(nc, args, { input: 'there and back' })).toMatchObject({
      code: 0,
      stdout: 'there and back',
    });
  });

  describeWith('sshd', 'ssh', (program) => {
    let sshd: Sshd;
    beforeAll(async () => {
      sshd = await startSshd(program);
    });
    afterAll(() => sshd.stop());

    test('logs in by nc as its ProxyCommand', { timeout: 60_000 }, async () => {
      const { url } = await serveChosen([`localhost:${String(sshd.port)}`]);
      const { port } = await socksPort(url, '--mux');
      const proxy = `ProxyCommand=${nc} -X 5 -x 127.0.0.1:${String(port)} localhost ${String(sshd.port)}`;
      const args = [...sshd.sshOptions, '-o', proxy, sshd.destination, 'echo in; exit 7'];
      expect(await run('ssh', args)).toMatchObject({ code: 7, stdout: 'in\n' });
    });
  });
});

describeWith('chromium', 'a browser', (chromium) => {
  test('opens a page through SOCKS', { timeout: 90_000 }, async () => {
    let seen: (host: string) => void = () => undefined;
    const asked = new Promise<string>((resolve) => (seen = resolve));
    const web = String(await website(seen));
    // Chromium never asks a proxy for localhost, but for a name that it does not look up.
    const { program: server, url } = await serveChosen([`*:${web}`]);
    const { port } = await socksPort(url, '--mux');
    openInChromium(
      chromium,
      `http://127.0.0.1:${web}/`,
      `--proxy-server=socks5://127.0.0.1:${String(port)}`,
      '--proxy-bypass-list=<-loopback>',
    );
    await server.prints(new RegExp(`wants "127\\.0\\.0\\.1:${web}"`));
    await server.prints(/failed \(--allow-connect does not list "127/);
    const allowed = await serveChosen([`127.0.0.1:${web}`]);
    const second = await socksPort(allowed.url, '--mux');
    openInChromium(
      chromium,
      `http://127.0.0.1:${web}/`,
      `--proxy-server=socks5://127.0.0.1:${String(second.port)}`,
      '--proxy-bypass-list=<-loopback>',
    );
    expect(await asked).toBe(`127.0.0.1:${web}`);
  });
});

test('a client that sends on before the answer loses nothing', async () => {
  const to = await target(echo);
  const { url } = await serveChosen([`127.0.0.1:${String(to)}`]);
  const { port } = await socksPort(url);
  const socket = net.connect({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  const request = Buffer.from('0501000501000100000000ffff', 'hex');
  request.set([127, 0, 0, 1], 7);
  request.writeUInt16BE(to, 11);
  socket.write(Buffer.concat([request, Buffer.from('early')]));
  expect((await readExactly(socket, 17)).subarray(12).toString()).toBe('early');
});
