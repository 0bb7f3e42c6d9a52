/** Sockets that the real systemd-socket-activate hands over. */
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { ask } from '../../../test/support/observers/scrape.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { runWsconn, serve, WSCONN_MAIN } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describeWith('systemd-socket-activate', 'a socket of systemd', (activate) => {
  /** Listens as systemd does, and becomes wsconn at the first connection. */
  async function activated(
    sockets: readonly string[],
    args: readonly string[],
    fdnames?: string,
  ): Promise<WatchedProgram> {
    const names = fdnames === undefined ? [] : [`--fdname=${fdnames}`];
    const program = new WatchedProgram(activate, [
      ...sockets.flatMap((socket) => ['-l', socket]),
      ...names,
      ...[process.execPath, WSCONN_MAIN, ...args],
    ]);
    const last = String(sockets.at(-1)).replaceAll('.', '\\.');
    await program.prints(new RegExp(`Listening on ${last}`));
    return program;
  }

  test('is served, and its first client is not lost', async () => {
    const port = await freePort();
    const to = `127.0.0.1:${String(await target(echo))}`;
    const args = ['serve', '--listen', 'systemd', '--to', to];
    const program = await activated([`127.0.0.1:${String(port)}`], args);
    const url = `ws://127.0.0.1:${String(port)}`;
    // This one wakes it up.
    expect(await runWsconn(['connect', url], { input: 'first' })).toMatchObject({
      code: 0,
      stdout: 'first',
    });
    await program.prints(new RegExp(`listening on ${url}, forwards to ${to}`));
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test('of several is found by its name, for --listen and for --admin', async () => {
    const [port, admin] = [await freePort(), await freePort()];
    const to = String(await target(echo));
    const args = ['serve', '--listen', 'systemd:web', '--admin', 'systemd:figures', '--to', to];
    const sockets = [admin, port].map((each) => `127.0.0.1:${String(each)}`);
    const program = await activated(sockets, args, 'figures:web');
    expect(await ask({ port: admin }, '/readyz')).toMatchObject({ status: 200 });
    const url = `ws://127.0.0.1:${String(port)}`;
    expect(await runWsconn(['connect', url], { input: 'x' })).toMatchObject({ stdout: 'x' });
    expect(program.stderr).not.toMatch(/warning/);
  });

  test('is one that forward listens on', async () => {
    const { url } = await serve(await target(echo));
    const port = await freePort();
    await activated([`127.0.0.1:${String(port)}`], ['forward', '--listen', 'systemd', url]);
    const socket = net.connect({ port, host: '127.0.0.1' });
    onTestFinished(() => {
      socket.destroy();
    });
    socket.write('over and back');
    expect(String((await once(socket, 'data')) as [Buffer])).toBe('over and back');
  });

  test('may be a unix socket', async () => {
    const path = join(folder.path, 'activated');
    const args = ['serve', '--listen', 'systemd', '--to', String(await target(echo))];
    const program = await activated([path], args);
    expect(await ask({ socketPath: path }, '/healthz')).toMatchObject({ status: 200 });
    await program.prints(new RegExp(`listening on ws://unix:${path}, `));
  });

  test('that others reach needs a token: nobody gets in before that is found', async () => {
    const port = await freePort();
    const args = ['serve', '--listen', 'systemd', '--to', String(await target(echo))];
    // This is never accepted from: that is what is tested.
    const program = await activated([`0.0.0.0:${String(port)}`], args);
    const socket = net.connect({ port, host: '127.0.0.1' });
    let answer = '';
    socket.on('data', (part: Buffer) => (answer += String(part)));
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await closeOf(socket);
    expect(answer).toBe('');
    const { code, stderr } = await program.ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(
      new RegExp(`everybody who reaches 0\\.0\\.0\\.0:${String(port)} could connect: give --token`),
    );
    expect(stderr).not.toMatch(/listening on ws/);
  });

  test.each([
    {
      names: 'a:b',
      args: ['--listen', 'systemd'],
      line: /--listen: more than one socket was handed over, there are 'a, b': name one as systemd:NAME/,
    },
    {
      names: 'a:b',
      args: ['--listen', 'systemd:c'],
      line: /--listen: no socket named 'c' was handed over, there are 'a, b'/,
    },
    {
      names: 'a:b',
      args: ['--listen', 'systemd:a', '--admin', 'systemd:a'],
      line: /--admin and --listen are the same socket of systemd/,
    },
  ])('is refused where $args does not fit $names', async ({ names, args, line }) => {
    const ports = [await freePort(), await freePort()];
    const sockets = ports.map((port) => `127.0.0.1:${String(port)}`);
    const program = await activated(sockets, ['serve', ...args, '--to', '1'], names);
    const socket = net.connect({ port: ports[0] ?? 0, host: '127.0.0.1' });
    await closeOf(socket);
    const { code, stderr } = await program.ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
  });
});

test('a socket that is meant for another process counts for nothing', async () => {
  const env = { LISTEN_PID: '1', LISTEN_FDS: '1' };
  const args = ['serve', '--listen', 'systemd', '--to', '1'];
  expect(await runWsconn(args, { env })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^[^\n]*none was handed to this process[^\n]*\n$/) as string,
  });
});
