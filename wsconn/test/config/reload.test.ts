/** What SIGHUP does with a configuration file. */
import { once } from 'node:events';
import net from 'node:net';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import type { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Sends SIGHUP and waits for what comes of it; returns the lines since then. */
async function reload(program: WatchedProgram): Promise<string> {
  const before = program.stderr.length;
  program.kill('SIGHUP');
  const how = /read the configuration again: |the configuration cannot be used: /.source;
  await program.prints(new RegExp(`^[^]{${String(before)}}[^]*(?:${how})`));
  return program.stderr.slice(before);
}

/** Connects to a server, sends a word, and returns what comes back, or why nothing does. */
async function say(url: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, stderr } = await runWsconn(['connect', url], { input: 'word', env });
  return stdout || stderr;
}

describe('wsconn serve at SIGHUP', () => {
  test('takes over targets, tokens and limits, and keeps open connections', async () => {
    const to = String(await target(echo));
    const token = await folder.file('one', 'token-one');
    const base = 'serve:\n  listen: 127.0.0.1:0\n';
    const config = await folder.file('serve', `${base}  to: {a: ${to}}\n`);
    const program = wsconn(['serve', '--config', config]);
    const [, url = ''] = await program.prints(/listening on (ws:\S+),/);
    const session = wsconn(['connect', `${url}/a`]);
    session.write('before ');
    await session.prints(/before /);

    await folder.file('serve', `${base}  to: {b: ${to}}\n  token-file: ${token}\n`);
    expect(await reload(program)).not.toMatch(/restart|warning/);
    expect(await say(`${url}/a`, { WSCONN_TOKEN: 'token-one' })).toMatch(/\(404\)/);
    expect(await say(`${url}/b`)).toMatch(/\(401\)/);
    expect(await say(`${url}/b`, { WSCONN_TOKEN: 'token-one' })).toBe('word');
    session.write('and after');
    await session.prints(/before and after/);

    const other = await folder.file('two', 'token-two');
    await folder.file(
      'serve',
      `${base}  to: ${to}\n  path: /p\n  token-file: ${other}\n  log-level: warn\n`,
    );
    program.kill('SIGHUP');
    await expect.poll(() => say(`${url}/p`, { WSCONN_TOKEN: 'token-two' })).toBe('word');
    expect(await say(`${url}/p`, { WSCONN_TOKEN: 'token-one' })).toMatch(/\(401\)/);

    await folder.file('serve', `${base}  to: ${to}\n  max-connections: 1\n  log-level: info\n`);
    await reload(program);
    // The session from the beginning is the one.
    expect(await say(url)).toMatch(/\(503\)/);
  });

  test('says what needs a restart', async () => {
    const base = 'serve: {listen: "127.0.0.1:0", to: ":1"';
    const config = await folder.file('restart', `${base}}`);
    const program = wsconn(['serve', '--config', config]);
    await program.prints(/listening/);
    await folder.file('restart', `${base.replace(':0', ':9')}, max-payload: 5, log-format: json}`);
    const lines = await reload(program);
    const names = [...lines.matchAll(/warning: (\S+) has changed in the configuration: /g)];
    expect(names.map(([, name]) => name).sort()).toEqual(['listen', 'log-format', 'max-payload']);
  });

  test('logs each line that is wrong, and keeps what was there', async () => {
    const to = String(await target(echo));
    const right = `serve:\n  listen: 127.0.0.1:0\n  to: ${to}\n`;
    const config = await folder.file('broken', right);
    const program = wsconn(['serve', '--config', config]);
    const [, url = ''] = await program.prints(/listening on (ws:\S+),/);
    const wrong = {
      'serve:\n  listne: x\n  drain: y\n': [/:2:3: serve has no option/, /:3:10: drain must be/],
      'serve:\n  listen: 127.0.0.1:0\n  to: x\n': [/:3:7: to must be HOST:PORT/],
      'serve:\n  to: :1\n': [/--listen is missing/],
      [`${right}  token-file: /nowhere/t\n`]: [/:4:15: cannot read \/nowhere\/t/],
      [`${right}  log-level: loud\n`]: [/:4:14: log-level must be error/],
      '': [/which --config names, is empty/],
    };
    for (const [text, lines] of Object.entries(wrong)) {
      await folder.file('broken', text);
      const told = await reload(program);
      for (const line of lines) expect(told).toMatch(line);
      expect(told).toMatch(/what was read before stays in use\n$/);
    }
    expect(await say(url)).toBe('word');
  });

  test('never opens what listens for others, also where the file listens elsewhere now', async () => {
    const token = await folder.file('kept', 'token-kept');
    const to = String(await target(echo));
    const port = String(await freePort());
    const config = await folder.file(
      'opens',
      `serve: {listen: "0.0.0.0:${port}", to: ${to}, token-file: ${token}}`,
    );
    const program = wsconn(['serve', '--config', config]);
    await program.prints(/listening/);
    await folder.file('opens', `serve: {listen: "127.0.0.1:${port}", to: ${to}}`);
    expect(await reload(program)).toMatch(/everybody who reaches 0\.0\.0\.0:\d+ could connect/);
    expect(await say(`ws://127.0.0.1:${port}`)).toMatch(/\(401\)/);
  });
});

describe.each([{ mux: false }, { mux: true }])('wsconn forward with $mux at SIGHUP', ({ mux }) => {
  test('takes over the server, and keeps the one that works', async () => {
    const answer = (text: string) => (socket: net.Socket) => socket.end(text);
    const one = await serve(await target(answer('one')));
    const two = await serve(await target(answer('two')));
    const text = (url: string): string =>
      `forward: {listen: "127.0.0.1:0", url: "${url}", mux: ${String(mux)}}`;
    const config = await folder.file('forward', text(one.url));
    const program = wsconn(['forward', '--config', config]);
    const [, port] = await program.prints(/listening on [^:]+:(\d+)/);
    const hear = async (): Promise<string> => {
      const socket = net.connect({ port: Number(port), host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      let heard = '';
      socket.setEncoding('utf8').on('data', (part: string) => (heard += part));
      await once(socket, 'close');
      return heard;
    };
    expect(await hear()).toBe('one');
    await folder.file('forward', text('nonsense'));
    expect(await reload(program)).toMatch(/:1:\d+: url is not a URL/);
    expect(await hear()).toBe('one');
    await folder.file('forward', text(two.url));
    expect(await reload(program)).not.toMatch(/restart/);
    // With --mux what is connected stays so.
    one.program.kill();
    await one.program.ended;
    expect(await hear()).toBe('two');
  });
});
