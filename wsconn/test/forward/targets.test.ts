/** Many ports of one `wsconn forward`, each with a target of its own. */
import net from 'node:net';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { forwardPorts } from '../../../test/support/forward-ports.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readAll } from '../../../test/support/reading.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';

const ANY = '127.0.0.1:0';

function dial(place: number | string): net.Socket {
  const socket =
    typeof place === 'number'
      ? net.connect({ port: place, host: '127.0.0.1', allowHalfOpen: true })
      : net.connect({ path: place, allowHalfOpen: true });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

async function ask(place: number | string, text: string): Promise<string> {
  const socket = dial(place);
  socket.end(text);
  return (await readAll(socket)).toString();
}

/** A target that puts a word before what it sends back. */
function says(word: string): Promise<number> {
  return target((socket) => {
    socket.write(`${word} `);
    echo(socket);
  });
}

describe.each([
  { name: 'a WebSocket each', mux: [] },
  { name: '--mux', mux: ['--mux'] },
])('with $name', ({ mux }) => {
  test('each --listen goes to its --to', async () => {
    const [one, two] = [await says('one'), await says('two')];
    const { program: server, url } = await serve(`one=127.0.0.1:${String(one)}`, [
      ...['--to', `two=127.0.0.1:${String(two)}`],
    ]);
    const { program, ports } = await forwardPorts([
      ...['--listen', ANY, '--to', 'two', '--listen', ANY, '--to', 'one', ...mux, url],
    ]);
    const [first = 0, second = 0] = ports;
    expect(await Promise.all([ask(first, 'a'), ask(second, 'b'), ask(first, 'c')])).toEqual([
      'two a',
      'one b',
      'two c',
    ]);
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
    if (mux.length > 0) {
      // All of them in one WebSocket, which has ended in order.
      await server.prints(/multiplexer 1 ended after/);
      expect(server.stderr).not.toMatch(/multiplexer 2|connection \d|failed/);
    }
  });

  test('the pairs may come from the environment, by line', async () => {
    const [one, two] = [await says('one'), await says('two')];
    const { url } = await serve(`one=127.0.0.1:${String(one)}`, [
      ...['--to', `two=127.0.0.1:${String(two)}`],
    ]);
    const { ports } = await forwardPorts(['--listen', ANY, '--listen', ANY, ...mux, url], {
      env: { WSCONN_TO: 'one\ntwo\n' },
    });
    const [first = 0, second = 0] = ports;
    expect([await ask(first, 'a'), await ask(second, 'b')]).toEqual(['one a', 'two b']);
  });

  test('a name goes below the path of the URL, and --listen may be a unix socket', async () => {
    const folder = await makeFolder();
    onTestFinished(() => folder.remove());
    const { url } = await serve(`one=127.0.0.1:${String(await says('one'))}`, ['--path', '/in']);
    const path = join(folder.path, 'socket');
    const program = wsconn([
      ...['forward', '--to', 'one', '--listen', `unix:${path}`, ...mux, url],
    ]);
    await program.prints(/listening on unix:\S+, forwards to ws:\S+\/in\/one\n/);
    expect(await ask(path, 'a')).toBe('one a');
  });

  test('each connection carries its own error', async () => {
    const { url } = await serve('dead=127.0.0.1:1');
    const { program, ports } = await forwardPorts([
      ...['--listen', ANY, '--to', 'dead', '--listen', ANY, '--to', 'nosuch', ...mux, url],
    ]);
    for (const port of ports) {
      const socket = dial(port);
      socket.write('x');
      await closeOf(socket);
      expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
    }
    await program.prints(
      /connection 1 from 127\.0\.0\.1:\d+ failed: .*target of this server cannot be reached \(ECONNREFUSED\)/,
    );
    await program.prints(
      mux.length === 0
        ? /connection 2 from 127\.0\.0\.1:\d+ failed: .*nothing at that path \(404\)/
        : /connection 2 from 127\.0\.0\.1:\d+ failed: .*ENOENT.*no target "nosuch"/,
    );
  });

  test('the lines of a connection carry its id and figures', async () => {
    const { url } = await serve(`one=127.0.0.1:${String(await target(echo))}`);
    const { program, ports } = await forwardPorts([
      '--listen',
      ANY,
      '--to',
      'one',
      ...mux,
      '--verbose',
      url,
    ]);
    const json = wsconn([
      ...['forward', '--listen', ANY, '--to', 'one', ...mux, '--log-level', 'debug'],
      ...['--log-format', 'json', url],
    ]);
    const [, port = ''] = await json.prints(/listening on 127\.0\.0\.1:(\d+)/);
    await ask(ports[0] ?? 0, 'abc');
    await program.prints(/connection 1 ended: 3 bytes out, 3 bytes in/);
    await ask(Number(port), 'abc');
    await json.prints(/"event":"ended"/);
    const lines = json.stderr.trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ended = entries.find(({ event }) => event === 'ended');
    expect(ended).toMatchObject({
      level: 'debug',
      id: expect.stringMatching(/^[\da-f]{6}-1$/) as string,
      from: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      target: 'one',
      bytesIn: 3,
      bytesOut: 3,
      endedBy: 'client',
      seconds: expect.any(Number) as number,
    });
    expect(entries.find(({ event }) => event === 'opened')).toMatchObject({ id: ended?.['id'] });
  });

  test('stdin and stdout may have a named target too', async () => {
    const { url } = await serve(`one=127.0.0.1:${String(await says('one'))}`);
    const args = ['forward', '--listen', '-', '--to', 'one', ...mux, url];
    expect(await runWsconn(args, { input: 'in' })).toMatchObject({ code: 0, stdout: 'one in' });
  });
});

test('a port that other machines reach is warned of once', async () => {
  const { url } = await serve(await target(echo));
  const { program, ports } = await forwardPorts(['--listen', ':0', url]);
  expect(ports).toHaveLength(1);
  expect(
    program.stderr.match(/warning: everybody who reaches :0 may use the tunnel/g),
  ).toHaveLength(1);
});

describe('a wrong command line is one line, and exit code 2', () => {
  test.each([
    [
      ['--listen', ANY, '--listen', ANY],
      /--listen '127\.0\.0\.1:0' has no --to: each --listen is followed by its own/,
    ],
    [['--listen', ANY, '--to', 'a', '--to', 'b'], /--to 'b' follows no --listen/],
    [['--to', 'a', '--listen', ANY, '--listen', ANY], /--to 'a' follows no --listen/],
    [['--listen', ANY, '--listen', ANY, '--to', 'a'], /--listen '127.0.0.1:0' has no --to/],
    [['--to', 'a'], /--listen is missing/],
    [['--to', 'a', '--socks', ANY], /each --listen needs its own --to, but there are 0 and 1/],
    [['--listen', ANY, '--to', 'a/b'], /--to must be the name of a target .* but is 'a\/b'/],
    [['--listen', ANY, '--to', '..'], /--to must be the name of a target .* but is '\.\.'/],
    [['--listen', ANY, '--to', '127.0.0.1:22'], /--to must be the name of a target/],
    [['--listen', '-', '--socks', ANY], /--listen - is for a single connection/],
    [['--listen', '-', '--to', 'a', '--listen', ANY, '--to', 'b'], /for a single connection/],
    [['--socks', 'nowhere'], /--socks must be HOST:PORT or unix:\/PATH/],
    [['--socks', ANY, '--socks', ANY], /--socks was given twice/],
    [['--socks'], /--socks needs a value/],
  ])('%j', async (args, line) => {
    const ended = await runWsconn(['forward', 'ws://127.0.0.1:1', ...args]);
    expect(ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^[^\n]+\n$/) as string,
    });
    expect(ended.stderr).toMatch(line);
  });

  test('also where the numbers of the environment differ', async () => {
    const env = { WSCONN_LISTEN: `${ANY}\n${ANY}`, WSCONN_TO: 'a\nb\nc' };
    const ended = await runWsconn(['forward', 'ws://127.0.0.1:1'], { env });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/each WSCONN_LISTEN needs its own WSCONN_TO.* are 2 and 3\n$/);
  });

  test.each([
    [['--allow-connect', 'example.org'], /--allow-connect must be HOST:PORT/],
    [['--allow-connect'], /--allow-connect needs a value/],
    [[], /--to is missing/],
  ])('serve %j', async (args, line) => {
    const ended = await runWsconn(['serve', '--listen', ANY, ...args]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^[^\n]+\n$/);
    expect(ended.stderr).toMatch(line);
  });
});
