/** ws+unix: URLs, to this package's own server and to nginx. */
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createServer } from '../../../src/index.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { nginx, startProxy } from '../../../test/support/proxies/nginx-haproxy.ts';
import { forward, runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const WORKS = { code: 0, stdout: 'hello', stderr: '' };

/** Starts an echo server on a unix socket; collects the paths of the requests. */
async function listen(path: string, paths: (string | undefined)[] = []): Promise<void> {
  const server = createServer((adapter, { url }) => {
    paths.push(url);
    adapter.pipe(adapter);
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(async () => {
    await server.close();
  });
}

describe('a server on a unix socket', () => {
  test('is reached by each command, whatever proxy the environment names', async () => {
    const path = join(folder.path, 'a.sock');
    const paths: (string | undefined)[] = [];
    await listen(path, paths);
    const url = `ws+unix:${path}:/there?b=c`;
    // A token is no secret to others there, so there is no warning.
    const env = { HTTPS_PROXY: 'http://127.0.0.1:1', WSCONN_TOKEN: 'open-sesame' };
    expect(await runWsconn(['connect', url], { input: 'hello', env })).toEqual(WORKS);
    expect(await runWsconn(['connect', `ws+unix://${path}`], { input: 'hello', env })).toEqual(
      WORKS,
    );
    expect(paths).toEqual(['/there?b=c', '/']);
    const ping = await runWsconn(['ping', '--count', '1', url], { env });
    expect(ping).toMatchObject({ code: 0, stderr: '' });
    expect(ping.stdout).toContain(
      `PING ws+unix:${path}:/there?*** (${path})\npong from ${path}: seq=1`,
    );
    const doctor = await runWsconn(['doctor', '--steps', '0.1', url], { env });
    expect(doctor).toMatchObject({ code: 0 });
    expect(doctor.stderr).toMatch(/connections to \/\S+a\.sock are open/);
    const { program } = await forward(url, [], { env });
    await program.prints(/forwards to ws\+unix:\/\S+\/a\.sock:\/there\?\*\*\*\n/);
  });

  test('may have spaces, umlauts and a colon in its path', async () => {
    const path = join(folder.path, 'ä b:c.sock');
    await listen(path);
    const url = `ws+unix:${folder.path}/ä b%3Ac.sock:/`;
    expect(await runWsconn(['connect', url], { input: 'hello' })).toEqual(WORKS);
  });

  test('that is not there, not listened to or not a socket is told', async () => {
    const missing = join(folder.path, 'missing.sock');
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    await chmod(file, 0o600);
    for (const [path, line] of [
      [missing, /missing\.sock: there is no such socket: check its path, .* \(ENOENT\)\n$/],
      [file, /file: nobody listens on that socket: .* \(ECONNREFUSED\)\n$/],
      [`${file}/x`, /a part of the path is no directory: check the path \(ENOTDIR\)\n$/],
    ] as const) {
      for (const command of ['connect', 'ping']) {
        const { code, stderr } = await runWsconn([command, `ws+unix:${path}`]);
        expect(code).toBe(1);
        expect(stderr).toMatch(line);
        expect(stderr).toMatch(/^[^\n]+\n$/);
      }
    }
  });
});

describeWith('nginx', 'nginx on a unix socket', (program) => {
  test('passes on to wsconn serve', async () => {
    const { port } = await serve(await target(echo));
    const path = join(folder.path, 'nginx.sock');
    const configuration: typeof nginx.configuration = (at, to, limit, place) =>
      nginx.configuration(at, to, limit, place).replace(/listen .*;/, `listen unix:${path};`);
    const proxy = await startProxy({ ...nginx, configuration }, program, port, 10);
    onTestFinished(proxy.stop);
    const ended = await runWsconn(['connect', `ws+unix:${path}:/`], { input: 'hello' });
    expect(ended).toEqual(WORKS);
  });
});
