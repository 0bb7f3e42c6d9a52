/** What wsconn serve and forward tell systemd, by the real systemd-notify. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { NotifySocket } from '../../../test/support/observers/notify-socket.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { forward, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** A module that blocks the event loop for 2 s when its process is told to. */
const STUCK = `data:text/javascript,${encodeURIComponent(`
  const now = () => Number(process.hrtime.bigint()) / 1e9;
  process.on('SIGUSR2', () => {
    const from = now();
    while (now() < from + 2);
    process.stderr.write('stuck from ' + from + ' to ' + now() + '\\n');
  });
`)}`;

describeWith('systemd-notify', 'systemd', () => {
  describeWith('python3', 'hears on its socket', () => {
    test('that serve is ready, reloads and stops', async () => {
      const systemd = await NotifySocket.listen(folder.path);
      const env = { NOTIFY_SOCKET: systemd.path };
      const { program, url } = await serve(await target(echo), [], { env });
      await systemd.hears(/READY=1/);
      program.kill('SIGHUP');
      await systemd.hears(/RELOADING=1.*\n.*READY=1/);
      program.kill();
      expect(await program.ended).toMatchObject({ code: 0 });
      await systemd.hears(/STOPPING=1/);
      const { messages } = systemd;
      expect(messages.map(({ lines }) => lines)).toEqual([
        ['READY=1', expect.stringMatching(`^STATUS=listening on ${url}, forwards to `)],
        ['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/)],
        ['READY=1'],
        ['STOPPING=1', 'STATUS=SIGTERM: lets open connections finish'],
      ]);
      // The clock must be that of systemd, which tells an old message from a new one by it.
      const reloading = messages[1];
      const said = Number(reloading?.lines[1]?.split('=')[1]) / 1e6;
      expect(said).toBeLessThanOrEqual(reloading?.at ?? 0);
      expect(said).toBeGreaterThan(messages[0]?.at ?? Infinity);
    });

    test('that forward is ready and stops', async () => {
      const systemd = await NotifySocket.listen(folder.path);
      const env = { NOTIFY_SOCKET: systemd.path };
      const { url } = await serve(await target(echo));
      const { program } = await forward(url, [], { env });
      await systemd.hears(/READY=1/);
      program.kill('SIGINT');
      expect(await program.ended).toMatchObject({
        code: 0,
        stderr: expect.not.stringMatching(/warning/) as string,
      });
      expect(systemd.messages.map(({ lines }) => lines[0])).toEqual(['READY=1', 'STOPPING=1']);
    });

    test('from the watchdog, but not while the event loop is stuck', async () => {
      const systemd = await NotifySocket.listen(folder.path);
      const env = {
        NOTIFY_SOCKET: systemd.path,
        WATCHDOG_USEC: '200000',
        WATCHDOG_PID: undefined,
        NODE_OPTIONS: `--import=${STUCK}`,
      };
      const { program } = await serve(await target(echo), [], { env });
      await systemd.hears(/WATCHDOG=1.*\n.*WATCHDOG=1/);
      program.kill('SIGUSR2');
      const [, from, to] = await program.prints(/stuck from (\S+) to (\S+)/);
      const count = systemd.messages.length;
      // It goes on afterwards.
      await systemd.hears(
        new RegExp(`(?:READY|WATCHDOG).*\\n(?:.*WATCHDOG=1.*\\n){${String(count)}}`),
      );
      const meanwhile = systemd.messages.filter(({ at }) => at > Number(from) && at < Number(to));
      // One may have been on its way; there would be 20.
      expect(meanwhile.length).toBeLessThanOrEqual(1);
    });

    test('no watchdog that is meant for another process', async () => {
      const systemd = await NotifySocket.listen(folder.path);
      const env = { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' };
      const { program } = await serve(await target(echo), [], { env });
      for (let reload = 1; reload <= 3; reload++) {
        program.kill('SIGHUP');
        await systemd.hears(new RegExp(`(?:RELOADING=1[^]*){${String(reload)}}"READY=1`));
      }
      program.kill();
      await program.ended;
      const all = systemd.messages.flatMap(({ lines }) => lines);
      expect(all.filter((line) => line.startsWith('WATCHDOG'))).toEqual([]);
    });
  });
});

describe('without a systemd that listens', () => {
  /** Makes a systemd-notify of our own; returns the folder that it is in. */
  async function fake(script: string): Promise<string> {
    const bin = join(folder.path, `bin-${String(Math.random()).slice(2)}`);
    await mkdir(bin);
    await writeFile(join(bin, 'systemd-notify'), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, 'systemd-notify'), 0o755);
    return bin;
  }

  test.each([
    { title: 'one that fails', script: 'echo "no luck" >&2; exit 3', line: /\(no luck\)/ },
    {
      title: 'one that fails in silence',
      script: 'exit 3',
      line: /\(systemd-notify failed with 3\)/,
    },
    { title: 'none', script: undefined, line: /\(there is no systemd-notify\)/ },
  ])('$title is one warning, and serve goes on', async ({ script, line }) => {
    const PATH = script === undefined ? '/nonexistent' : await fake(script);
    const env = { NOTIFY_SOCKET: join(folder.path, 'nobody'), PATH };
    const { program } = await serve(await target(echo), [], { env });
    await program.prints(line);
    program.kill('SIGHUP');
    await program.prints(/SIGHUP: reads its files again/);
    program.kill();
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr.match(/warning: systemd cannot be told READY=1/g)).toHaveLength(1);
    expect(stderr.match(/warning/g)).toHaveLength(1);
  });

  test('nothing is started where nobody wants to be told', async () => {
    const told = join(folder.path, 'told');
    const PATH = `${await fake(`echo "$@" >> ${told}`)}:${String(process.env['PATH'])}`;
    const { program } = await serve(await target(echo), [], {
      env: { PATH, NOTIFY_SOCKET: undefined },
    });
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
    await expect(readFile(told)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('the child gets no secret', async () => {
    const seen = join(folder.path, 'seen');
    const PATH = `${await fake(`env >> ${seen}; ls -l /proc/self/fd >> ${seen}`)}:${String(process.env['PATH'])}`;
    const env = { PATH, NOTIFY_SOCKET: '/nobody', WSCONN_TOKEN: 'quite-secret', LISTEN_FDS: '1' };
    const { program } = await serve(await target(echo), [], { env });
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
    const text = await readFile(seen, 'utf8');
    expect(text).toContain('NOTIFY_SOCKET=/nobody');
    expect(text).not.toMatch(/quite-secret|WSCONN|LISTEN_/);
  });
});
