import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { forward, runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Answer of the health check of a server, or of another path. */
async function get(url: string, path = '/healthz'): Promise<[status: number, text: string]> {
  const response = await fetch(new URL(path, url.replace('ws', 'http')));
  return [response.status, await response.text()];
}

describe('the health check', () => {
  test('is answered before path and token', async () => {
    const { url } = await serve(await target(echo), ['--path', '/ssh'], {
      env: { WSCONN_TOKEN: 'secret' },
    });
    expect(await get(url)).toEqual([200, 'ok\n']);
    expect(await get(url, '/healthz?probe=1')).toEqual([200, 'ok\n']);
    expect((await get(url, '/ssh'))[0]).toBe(426);
    const { status } = await fetch(new URL('/healthz', url.replace('ws', 'http')), {
      method: 'POST',
    });
    expect(status).toBe(426);
  });

  test('turns 503 for --lame-duck, in which new WebSockets get 503 and open ones go on', async () => {
    const { url, program } = await serve(await target(echo), ['--lame-duck', '3600']);
    const open = connect(url);
    open.write('before');
    await once(open, 'data');
    program.kill();
    await program.prints(/SIGTERM: new connections get 503 for 3600 s/);
    expect(await get(url)).toEqual([503, 'stopping\n']);
    const late = connect(url);
    late.on('error', () => undefined);
    await closeOf(late);
    expect(late.errored).toMatchObject({ statusCode: 503 });
    open.write('after');
    expect(String((await once(open, 'data'))[0])).toBe('after');
    open.on('error', () => undefined);
    program.kill();
    expect((await program.ended).code).toBe(143);
    await closeOf(open);
  });

  test('is followed by the drain, and exit code 0', async () => {
    const { url, program } = await serve(await target(echo), ['--lame-duck', '0.1']);
    program.kill('SIGINT');
    await program.prints(/SIGINT: new connections get 503/);
    expect(await program.ended).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/SIGINT: no new connections/) as string,
    });
    expect(url).toMatch(/^ws:/);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'a second signal ends serve at once: %s, with 128 and its number',
  async (signal) => {
    const { url, program } = await serve(await target(echo), ['--drain', '3600']);
    const open = connect(url);
    open.on('error', () => undefined);
    await once(open, 'connect');
    program.kill();
    await program.prints(/no new connections/);
    program.kill(signal);
    expect((await program.ended).code).toBe(signal === 'SIGINT' ? 130 : 143);
    await closeOf(open);
  },
);

describe('SIGHUP', () => {
  test('has serve read its files again, and never ends it', async () => {
    const path = join(folder.path, 'token');
    await writeFile(path, 'first', { mode: 0o600 });
    const { url, program } = await serve(await target(echo), ['--token-file', path]);
    program.kill('SIGHUP');
    await program.prints(/SIGHUP: reads its files again/);
    await program.prints(/read \S+token again/);
    const options = { input: 'x', env: { WSCONN_TOKEN: 'first' } };
    expect(await runWsconn(['connect', url], options)).toMatchObject({ code: 0, stdout: 'x' });
    program.kill('SIGHUP');
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test('never ends forward', async () => {
    const { url } = await serve(await target(echo));
    const { program } = await forward(url);
    program.kill('SIGHUP');
    await program.prints(/SIGHUP/);
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
  });
});
