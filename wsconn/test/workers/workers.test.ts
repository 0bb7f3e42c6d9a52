/** `serve --workers`: connections over several processes, which end and are replaced. */
import { once } from 'node:events';
import net from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readExactly } from '../../../test/support/reading.ts';
import { runWsconn, wsconn } from '../../../test/support/wsconn.ts';
import { dial } from '../../../test/support/peers/dial.ts';
import { serveWithWorkers } from './start-workers.ts';

describe('wsconn serve --workers 2', () => {
  test('spreads connections evenly, and each carries its bytes', async () => {
    const { program, url } = await serveWithWorkers(await target(echo));
    for (let i = 0; i < 6; i++) {
      const adapter = dial(url);
      adapter.write(`number ${String(i)}`);
      expect(String(await readExactly(adapter, 8))).toBe(`number ${String(i)}`);
    }
    for (const name of ['1.1', '1.2', '1.3', '2.1', '2.2', '2.3']) {
      expect(program.stderr).toContain(`connection ${name} from 127.0.0.1:`);
    }
  });

  test('gives the next connection to the worker that has fewest', async () => {
    const { program, url } = await serveWithWorkers(await target(echo));
    const [first, second] = [dial(url), dial(url)];
    await Promise.all([once(first, 'connect'), once(second, 'connect')]);
    first.end();
    await closeOf(first.resume());
    const [, number = ''] = await program.prints(/connection (\d)\.1 ended/);
    // The round would have come to the other one.
    await expect.poll(() => runWsconn(['connect', url], { input: 'x' })).toMatchObject({ code: 0 });
    await program.prints(new RegExp(`connection ${number}\\.2 ended`));
  });

  test('starts a worker again that was killed, and leaves the others alone', async () => {
    const { program, url, pids } = await serveWithWorkers(await target(echo));
    const both = [dial(url), dial(url)];
    await Promise.all(both.map((adapter) => once(adapter, 'connect')));
    await program.prints(
      /connection 1\.1 .* opened[^]*connection 2\.1 .* opened|connection 2\.1 .* opened[^]*connection 1\.1 .* opened/,
    );
    const cut = Promise.race(both.map((adapter) => closeOf(adapter)));
    process.kill(pids[1], 'SIGKILL');
    await cut;
    await program.prints(
      /worker 2 \(process \d+\) was killed by SIGKILL: its connections are lost; it is started again in 0\.1 s/,
    );
    const left = both.filter((adapter) => !adapter.destroyed);
    expect(left.length).toBe(1);
    left[0]?.write('alive');
    expect(String(await readExactly(left[0] as net.Socket, 5))).toBe('alive');
    await program.prints(/worker 2 is there again, as process \d+/);
    for (let i = 0; i < 2; i++) {
      const adapter = dial(url);
      adapter.write('again');
      await readExactly(adapter, 5);
    }
  });

  test('lets connections finish at SIGTERM, takes no new ones, and exits with 0', async () => {
    const { program, url, port } = await serveWithWorkers(await target(echo));
    const both = [dial(url), dial(url)];
    await Promise.all(both.map((adapter) => once(adapter, 'connect')));
    program.kill('SIGTERM');
    await program.prints(/SIGTERM: no new connections; open ones may finish within 20 s/);
    const late = net.connect(port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    for (const adapter of both) {
      adapter.end('the rest');
      expect(String(await readExactly(adapter, 8))).toBe('the rest');
      adapter.resume();
    }
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr.match(/connection \d\.1 ended/g)).toHaveLength(2);
    expect(stderr).not.toMatch(/were cut|worker \d/);
  });

  test('cuts what is left after --drain, and tells how many of all workers', async () => {
    const { program, url } = await serveWithWorkers(await target(echo), ['--drain', '0.1']);
    const both = [dial(url), dial(url)];
    await Promise.all(both.map((adapter) => once(adapter, 'connect')));
    program.kill('SIGTERM');
    await Promise.all(both.map((adapter) => closeOf(adapter)));
    for (const { errored } of both) expect(errored).toMatchObject({ closeCode: 1012 });
    expect(await program.ended).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/connections that were still open and were cut: 2\n/) as string,
    });
  });

  test('says 503 to health checks while it is a lame duck', async () => {
    const { program, port } = await serveWithWorkers(await target(echo), ['--lame-duck', '600']);
    program.kill('SIGTERM');
    await program.prints(/new connections get 503/);
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${String(port)}/healthz`)).status)
      .toBe(503);
  });

  test('ends its workers when it is killed itself', async () => {
    const { program, pids } = await serveWithWorkers(await target(echo));
    program.kill('SIGKILL');
    await program.ended;
    for (const pid of pids) {
      await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
    }
  });

  test('reads its files again at SIGHUP, and says so once', async () => {
    const folder = await makeFolder();
    onTestFinished(() => folder.remove());
    const to = String(await target(echo));
    const base = 'serve:\n  listen: 127.0.0.1:0\n  workers: 2\n';
    const config = await folder.file('serve', `${base}  to: {a: ${to}}\n`);
    const program = wsconn(['serve', '--config', config]);
    const [, url = ''] = await program.prints(/listening on (ws:\S+),/);
    await folder.file('serve', `${base}  to: {b: ${to}}\n`);
    program.kill('SIGHUP');
    await program.prints(/read the configuration again/);
    // As many as reach both.
    for (let i = 0; i < 4; i++) {
      await expect
        .poll(async () => (await runWsconn(['connect', `${url}/b`], { input: 'x' })).stdout)
        .toBe('x');
    }
    expect((await runWsconn(['connect', `${url}/a`])).stderr).toContain('404');
    expect(program.stderr.match(/read the configuration again/g)).toHaveLength(1);
  });
});

describe('wsconn serve --workers', () => {
  test.each([
    {
      args: ['--workers', '1.5'],
      says: /^wsconn serve: --workers must be a whole number up to 255, or auto, but is '1\.5'\n$/,
    },
    { args: ['--workers', '256'], says: /must be a whole number up to 255/ },
    {
      args: ['--workers', '2', '--tls-cert', 'x', '--tls-key', 'x'],
      says: /--workers with TLS cannot hold connections .* give --resume-hold 0/,
    },
    {
      args: ['--workers', '4', '--max-held-bytes', '65536'],
      says: /--max-held-bytes must be a whole number, at least 262144/,
    },
  ])('refuses $args', async ({ args, says }) => {
    const { code, stderr } = await runWsconn([
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--to',
      ':1',
      ...args,
    ]);
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });

  test('auto and 0 are one for each core', async () => {
    const { availableParallelism } = await import('node:os');
    for (const count of ['auto', '0']) {
      const program = wsconn([
        'serve',
        '--listen',
        '127.0.0.1:0',
        '--to',
        ':1',
        '--workers',
        count,
      ]);
      await program.prints(/listening/);
      const [, pids = ''] =
        /workers share the work: processes ([\d, ]+)/.exec(program.stderr) ?? [];
      expect(pids.split(', ')).toHaveLength(availableParallelism());
      program.kill('SIGTERM');
      expect((await program.ended).code).toBe(0);
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
