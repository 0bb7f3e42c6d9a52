import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { connect, type WsConnError } from '../../../src/index.ts';
import { MUX_PROTOCOL, YamuxSession } from '../../../src/yamux/index.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { target } from '../../../test/support/peers/target.ts';
import { readAll } from '../../../test/support/reading.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';
import {
  MUX_WITH_HEADERS,
  readAnswer,
  STREAM_WITH_HEADER,
  type Wish,
  writeWish,
} from '../../src/tunnel/stream-header.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Starts a target that says its name and echoes what it gets. */
function named(name: string): Promise<number> {
  return target((socket) => {
    socket.write(`${name}:`);
    socket.pipe(socket);
  });
}

/** Starts a server with targets by name; returns the URL of its root. */
async function serveNamed(
  args: readonly string[] = [],
): Promise<{ url: string; program: ReturnType<typeof wsconn> }> {
  const [one, two] = [await named('one'), await named('two')];
  const to = `one=127.0.0.1:${String(one)}`;
  const { url, program } = await serve(to, ['--to', `two=127.0.0.1:${String(two)}`, ...args]);
  return { url, program };
}

/** What comes back through a URL, or the status that refuses it. */
async function answerOf(url: string, protocols: string[] = []): Promise<string | number> {
  const adapter = connect(url, { protocols });
  adapter.end('x');
  try {
    return (await readAll(adapter)).toString();
  } catch (error) {
    return (error as WsConnError).statusCode ?? String(error);
  }
}

describe('targets with names', () => {
  test('are at their path, and nothing is elsewhere', async () => {
    const { url, program } = await serveNamed();
    expect(await answerOf(`${url}/one`)).toBe('one:x');
    expect(await answerOf(`${url}/two?query`)).toBe('two:x');
    for (const path of ['', '/', '/three', '/one/', '//one', '/ONE', '/constructor', '/one%00']) {
      expect(await answerOf(url + path), path).toBe(404);
    }
    await program.prints(/refused \S+ with 404: there is nothing at "\/three"/);
  });

  test('are below --path', async () => {
    const { url } = await serveNamed(['--path', '/base']);
    expect(await answerOf(`${url}/one`)).toBe('one:x');
    expect(await answerOf(url.replace('/base', '/one'))).toBe(404);
  });

  test('leave the root to one without a name', async () => {
    const { url } = await serveNamed(['--to', `127.0.0.1:${String(await named('unnamed'))}`]);
    expect(await answerOf(url)).toBe('unnamed:x');
    expect(await answerOf(`${url}/`)).toBe('unnamed:x');
    expect(await answerOf(`${url}/one`)).toBe('one:x');
    expect(await answerOf(`${url}/other`)).toBe(404);
  });
});

describe('a stream with a header', () => {
  const ask = async (
    url: string,
    protocol: string,
    wish: Wish,
  ): Promise<{ answer: unknown; data: string }> => {
    const adapter = connect(url, { protocols: protocol });
    const session =
      protocol === MUX_WITH_HEADERS ? new YamuxSession(adapter, { role: 'client' }) : undefined;
    onTestFinished(() => session?.close().then(() => undefined));
    const stream = session?.open() ?? adapter;
    writeWish(stream, wish);
    // It may follow at once.
    stream.end('x');
    const answer = await readAnswer(stream);
    if (!answer) return { answer, data: (await readAll(stream)).toString() };
    stream.destroy();
    return { answer, data: '' };
  };

  test.each([STREAM_WITH_HEADER, MUX_WITH_HEADERS])('of %s names its target', async (protocol) => {
    const { url } = await serveNamed();
    expect(await ask(url, protocol, { name: 'two' })).toEqual({ answer: undefined, data: 'two:x' });
    // The URL may name one, too.
    expect(await ask(`${url}/one`, protocol, { name: '' })).toEqual({
      answer: undefined,
      data: 'one:x',
    });
  });

  test.each([STREAM_WITH_HEADER, MUX_WITH_HEADERS])(
    'of %s gets the reason of a refusal',
    async (protocol) => {
      const { url, program } = await serveNamed(['--to', 'gone=127.0.0.1:1']);
      expect(await ask(url, protocol, { name: 'gone' })).toMatchObject({
        answer: {
          code: 'ECONNREFUSED',
          reason: expect.stringMatching(/cannot be reached/) as string,
        },
        data: '',
      });
      expect(await ask(url, protocol, { name: 'none' })).toMatchObject({
        answer: { code: 'ENOENT', reason: expect.stringMatching(/no target "none"/) as string },
      });
      expect(await ask(url, protocol, { name: '' })).toMatchObject({ answer: { code: 'ENOENT' } });
      const address = { host: '127.0.0.1', port: 22 };
      expect(await ask(url, protocol, { address })).toMatchObject({ answer: { code: 'EACCES' } });
      await program.prints(/failed \(this server has no target "none"\)/);
    },
  );

  test('that is none, or never ends, gets a refusal', async () => {
    const { url } = await serveNamed();
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'connect nowhere\n', 'x'.repeat(5000), '\n']) {
      const adapter = connect(url, { protocols: STREAM_WITH_HEADER });
      adapter.write(text);
      expect(await readAnswer(adapter), text).toMatchObject({ code: 'EPROTO' });
      adapter.destroy();
    }
  });
});

test('the old protocol of --mux needs a target in its URL', async () => {
  const { url } = await serveNamed();
  expect(await answerOf(url, [MUX_PROTOCOL])).toBe(404);
});

describe('unix sockets', () => {
  test('are listened on and forwarded to', async () => {
    const [front, back] = [join(folder.path, 'front'), join(folder.path, 'back')];
    const server = net.createServer((socket) => socket.end('from the unix socket').resume());
    server.listen(back);
    onTestFinished(async () => {
      server.close();
      await once(server, 'close');
    });
    const program = wsconn(['serve', '--listen', `unix:${front}`, '--to', `unix:${back}`]);
    await program.prints(/listening on ws:\/\/unix:\S+front, forwards to unix:\S+back/);
    expect(await answerOf(`ws+unix:${front}:/`)).toBe('from the unix socket');
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
    await expect(stat(front)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('that a killed server has left behind are taken, and those in use are not', async () => {
    const path = join(folder.path, 'left');
    const args = ['serve', '--listen', `unix:${path}`, '--to', ':1'];
    const first = wsconn(args);
    await first.prints(/listening/);
    expect(await runWsconn(args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /cannot listen on unix:\S+left: another program listens/,
      ) as string,
    });
    first.kill('SIGKILL');
    await first.ended;
    const second = wsconn(args);
    await second.prints(/listening/);
  });
});

test.each([
  ['=127.0.0.1:22', /--to must begin with a name/],
  ['a/b=127.0.0.1:22', /--to must begin with a name/],
  ['..=127.0.0.1:22', /--to must begin with a name/],
  ['a=', /--to must be HOST:PORT or unix:/],
  ['a=:0', /--to must be HOST:PORT or unix:/],
  ['a=:65536', /--to must be HOST:PORT or unix:/],
  ['unix:relative', /--to must begin with unix:\/, a path from the root/],
  [`unix:/${'x'.repeat(107)}`, /--to must have a path of at most 107 bytes/],
])('--to %s is refused in one line', async (to, line) => {
  const ended = await runWsconn(['serve', '--listen', '127.0.0.1:0', '--to', to]);
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(/^[^\n]+\n$/) as string });
  expect(ended.stderr).toMatch(line);
});

test.each([
  [['a=:1', 'a=:2'], /names two targets a: give each a name of its own/],
  [[':1', ':2'], /names two targets without a name/],
])('two targets of one name are refused', async (targets, line) => {
  const to = targets.flatMap((one) => ['--to', one]);
  const ended = await runWsconn(['serve', '--listen', '127.0.0.1:0', ...to]);
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(line) as string });
});

test('a port alone is one of every address, and needs a token', async () => {
  expect(await runWsconn(['serve', '--listen', ':0', '--to', ':1'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/everybody who reaches :0 could connect/) as string,
  });
  const to = await named('one');
  const program = wsconn(['serve', '--listen', ':0', '--to', `:${String(to)}`, '--no-auth']);
  const [, port] = await program.prints(/listening on ws:\/\/\S+:(\d+), forwards to localhost:\d+/);
  expect(await answerOf(`ws://127.0.0.1:${String(port)}`)).toBe('one:x');
});
