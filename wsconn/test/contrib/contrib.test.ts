/** What is in contrib/ works with the programs that it is for. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { run } from '../../../test/support/programs/watched-program.ts';
import { startCaddy } from '../../../test/support/proxies/caddy.ts';
import {
  haproxy,
  nginx,
  type ProxyKind,
  startProxy,
} from '../../../test/support/proxies/nginx-haproxy.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CONTRIB = join(ROOT, 'contrib');

/** Returns a file with other addresses; everything to replace must be there. */
function file(name: string, replacements: readonly (readonly [string, string])[] = []): string {
  let text = readFileSync(join(CONTRIB, name), 'utf8');
  for (const [from, to] of replacements) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** A word goes through the proxy, the server and back. */
async function expectEcho(port: number): Promise<void> {
  const url = `ws://127.0.0.1:${String(port)}/ssh`;
  const ended = await runWsconn(['connect', url], { input: 'word' });
  expect(ended).toEqual({ code: 0, stdout: 'word', stderr: '' });
}

async function startServer(): Promise<Awaited<ReturnType<typeof serve>>> {
  return serve(await target(echo), ['--path', '/ssh']);
}

describeWith(nginx.program, 'contrib/nginx.conf', (program) => {
  test('passes WebSockets on to wsconn serve', async () => {
    const { program: server, port: to } = await startServer();
    const kind: ProxyKind = {
      ...nginx,
      configuration: (port, upstream, limit, folder) => {
        const location = file('nginx.conf', [['127.0.0.1:8080', `127.0.0.1:${String(upstream)}`]]);
        const around = nginx.configuration(port, upstream, limit, folder);
        return around.replace(/location \/ \{[^}]*\}/, () => location);
      },
    };
    const proxy = await startProxy(kind, program, to, 60);
    onTestFinished(() => proxy.stop());
    await expectEcho(proxy.port);
    expect(server.stderr).toMatch(/X-Forwarded-For: "127\.0\.0\.1"/);
  });
});

describeWith(haproxy.program, 'contrib/haproxy.cfg', (program) => {
  test('passes WebSockets on to wsconn serve, and none where it is not healthy', async () => {
    const { program: server, port: to } = await startServer();
    const kind: ProxyKind = {
      ...haproxy,
      configuration: (port, upstream) =>
        file('haproxy.cfg', [
          ['127.0.0.1:8080', `127.0.0.1:${String(upstream)}`],
          ['bind :80', `bind 127.0.0.1:${String(port)}`],
          ['inter 2s', 'inter 1s'],
        ]),
    };
    const proxy = await startProxy(kind, program, to, 60);
    onTestFinished(() => proxy.stop());
    await expectEcho(proxy.port);
    server.kill();
    await server.ended;
    const status = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${String(proxy.port)}/ssh`)).status;
    await expect.poll(status, { timeout: 20_000 }).toBe(503);
  });
});

describeWith('caddy', 'contrib/Caddyfile', (program) => {
  test('passes WebSockets on to wsconn serve', async () => {
    const { port: to } = await startServer();
    const proxy = await startCaddy(program, to, (port, upstream) =>
      file('Caddyfile', [
        ['127.0.0.1:8080', `127.0.0.1:${String(upstream)}`],
        [':80 {', `http://127.0.0.1:${String(port)} {\n  bind 127.0.0.1`],
      ]),
    );
    onTestFinished(() => proxy.stop());
    await expectEcho(proxy.port);
  });
});

describeWith('systemd-analyze', 'contrib/systemd', (program) => {
  const units = ['wsconn-serve.service', 'wsconn-serve.socket', 'wsconn-forward@.service'];

  test('has the units that are tested', async () => {
    expect((await readdir(join(CONTRIB, 'systemd'))).toSorted()).toEqual(units.toSorted());
  });

  test.each(units)('%s is taken by systemd without a word', async (unit) => {
    const ended = await run(program, ['verify', join(CONTRIB, 'systemd', unit)], { input: '' });
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each(units.filter((unit) => unit.endsWith('.service')))(
    'systemd has little to say against the hardening of %s',
    async (unit) => {
      const args = ['security', '--offline=true', '--threshold=25', join(CONTRIB, 'systemd', unit)];
      expect(await run(program, args, { input: '' })).toMatchObject({ code: 0 });
    },
  );
});

test('contrib/wsconn.yaml is a configuration, but for the token that its unit adds', async () => {
  const path = join(CONTRIB, 'wsconn.yaml');
  const env = { WSCONN_TOKEN: 'of-the-unit' };
  expect(await runWsconn(['check', path], { env })).toEqual({
    code: 0,
    stdout: `${path}: serve: ok\n`,
    stderr: '',
  });
});

describe('contrib/Dockerfile', () => {
  const stages = file('Dockerfile')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split(/^(?=FROM )/m);
  const [build = '', image = ''] = stages;
  const linesOf = (stage: string, instruction: string): string[] =>
    [...stage.matchAll(new RegExp(`^${instruction} (.*)$`, 'gm'))].map(([, rest = '']) => rest);

  test(
    'copies what there is, and its commands make a wsconn that runs',
    { timeout: 300_000 },
    async () => {
      const folder = await makeFolder();
      onTestFinished(() => folder.remove());
      const source = join(folder.path, 'build');
      mkdirSync(source);
      const copies = linesOf(build, 'COPY');
      expect(copies.length).toBeGreaterThan(3);
      for (const copy of copies) {
        const paths = copy.split(' ');
        const to = String(paths.pop());
        for (const path of paths) {
          expect(existsSync(join(ROOT, path)), path).toBe(true);
          const destination = to === './' ? join(source, basename(path)) : join(source, to);
          // As contrib/Dockerfile.dockerignore says.
          const filter = (one: string): boolean => !/\/(?:node_modules|dist)$/.test(one);
          cpSync(join(ROOT, path), destination, { recursive: true, filter });
        }
      }
      const sh = (line: string, cwd: string): void => {
        execFileSync('sh', ['-ec', line], { cwd, stdio: 'pipe', timeout: 240_000 });
      };
      for (const line of linesOf(build, 'RUN')) sh(line, source);
      const [install = ''] = linesOf(image, 'RUN');
      expect(install).toContain('/tmp/packages');
      const prefix = join(folder.path, 'prefix');
      const here = install
        .replaceAll('/tmp/packages', join(source, 'packages'))
        .replace('--global', `--global --prefix ${prefix}`);
      sh(here, folder.path);
      const { stdout } = await run(join(prefix, 'bin/wsconn'), ['--help'], { input: '' });
      expect(stdout).toMatch(/^Usage: wsconn COMMAND/m);
    },
  );

  test('its health check tells a server that runs from none', async () => {
    const [check = ''] = linesOf(image, 'HEALTHCHECK .* CMD');
    const [command = '', ...args] = JSON.parse(check) as string[];
    const { program, port } = await startServer();
    const here = args.map((arg) => arg.replace(':8080', `:${String(port)}`));
    expect(here).not.toEqual(args);
    expect(await run(command, here, { input: '' })).toMatchObject({ code: 0, stderr: '' });
    program.kill();
    await program.ended;
    expect(await run(command, here, { input: '' })).toMatchObject({ code: 1 });
  });

  test('names a user without rights, a signal to stop by, and starts by its file', async () => {
    expect(linesOf(image, 'USER')).toEqual(['node']);
    expect(linesOf(image, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(linesOf(image, 'ENTRYPOINT')).toEqual(['["wsconn"]']);
    const folder = await makeFolder();
    onTestFinished(() => folder.remove());
    const config = join(folder.path, 'c.yaml');
    await writeFile(config, 'serve: {to: ":1"}');
    // ENV names the file, so a start without one says so.
    const [, variable = ''] =
      /^(\w+)=\/etc\/wsconn\/wsconn\.yaml$/.exec(linesOf(image, 'ENV').join()) ?? [];
    const ended = await runWsconn(['serve'], { env: { [variable]: config } });
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--listen is missing/) as string,
    });
  });
});
