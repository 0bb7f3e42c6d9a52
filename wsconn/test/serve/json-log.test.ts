import { once } from 'node:events';

import { expect, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf } from '../../../test/support/events.ts';

import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

type Entry = Readonly<Record<string, unknown>>;

/** The entries of a log; throws where a line is no JSON object. */
function entriesOf(log: string): Entry[] {
  const lines = log.trimEnd().split('\n');
  return lines.map((line) => {
    const entry: unknown = JSON.parse(line);
    expect(entry).toMatchObject({
      level: expect.stringMatching(/^(error|warn|info|debug)$/) as string,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      name: expect.stringMatching(/^wsconn/) as string,
      msg: expect.any(String) as string,
    });
    return entry as Entry;
  });
}

const JSON_LOG = ['--log-format', 'json'];

test('a connection has an id that every line of it carries, and how it went', async () => {
  const { url, program } = await serve(await target(echo), [...JSON_LOG, '--log-level', 'debug'], {
    env: { WSCONN_TOKEN: 'open-sesame' },
  }).catch(() => {
    throw new Error('it does not tell that it listens');
  });
  const token = { WSCONN_TOKEN: 'open-sesame' };
  await runWsconn(['connect', `${url}/path?secret`], { input: '12345', env: token });
  await runWsconn(['connect', url], { env: { WSCONN_TOKEN: 'open-barley' } });
  await program.prints(/"ended"/);
  program.kill();
  const { stderr } = await program.ended;
  const entries = entriesOf(stderr);
  const [opened] = entries.filter(({ event }) => event === 'opened');
  expect(opened).toMatchObject({
    level: 'info',
    id: expect.stringMatching(/^[\da-f]{6}-1$/) as string,
    from: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    path: '/path',
    kind: 'connection',
  });
  const [ended] = entries.filter(({ event }) => event === 'ended');
  expect(ended).toMatchObject({
    id: opened?.['id'],
    path: '/path',
    bytesIn: 5,
    bytesOut: 5,
    endedBy: 'client',
    seconds: expect.any(Number) as number,
  });
  const [refused] = entries.filter(({ event }) => event === 'refused');
  expect(refused).toMatchObject({ status: 401, path: '/' });
  expect(stderr).not.toMatch(/secret|open-sesame|open-barley/);
});

test.each([
  ['an option that is wrong', ['serve', '--listen', 'nowhere', '--to', ':1', ...JSON_LOG], 2],
  ['an option that there is not', ['serve', '--lisen', ':1', ...JSON_LOG], 2],
  ['a command that there is not', ['sevre', '--log-format=json'], 2],
])('the first line is an object, too: %s', async (_what, args, exitCode) => {
  const { code, stderr } = await runWsconn(args);
  expect(code).toBe(exitCode);
  const [entry, ...more] = entriesOf(stderr);
  expect(entry).toMatchObject({ level: 'error' });
  expect(more).toEqual([]);
});

test('stacks are objects, too, and control characters of a peer stay escaped', async () => {
  const { stderr } = await runWsconn(['connect', `ws://127.0.0.1:${String(await freePort())}`], {
    env: { WSCONN_LOG_FORMAT: 'json', WSCONN_LOG_LEVEL: 'debug' },
  });
  const entries = entriesOf(stderr);
  expect(entries[0]).toMatchObject({ level: 'error' });
  expect(entries.some(({ stack }) => Array.isArray(stack))).toBe(true);
});

test('--log-level leaves out what matters less', async () => {
  const { url, program } = await serve(await target(echo), ['--log-level', 'info']);
  await runWsconn(['connect', url], { input: 'x' });
  await program.prints(/connection 1 ended/);
  const quiet = await runWsconn(['connect', 'ws://127.0.0.1:1', '--log-level', 'error']);
  expect(quiet.stderr).toMatch(/connection refused/);
});

test.each([
  [['--log-format', 'xml'], /--log-format must be text, json, but is 'xml'/],
  [['--log-level', 'loud'], /--log-level must be error, warn, info, debug, but is 'loud'/],
])('%s is refused in one line', async (args, line) => {
  const ended = await runWsconn(['serve', '--listen', ':0', '--to', ':1', ...args]);
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(/^[^\n]+\n$/) as string });
  expect(ended.stderr).toMatch(line);
});

test.each([
  ['the client', 'client'],
  ['the target', 'target'],
  ['the server, when it stops', 'server'],
] as const)('a connection that %s cuts is ended by it', async (_who, endedBy) => {
  const to = await target((socket) => {
    socket.once('data', () => {
      if (endedBy === 'target') socket.resetAndDestroy();
      else socket.write('x');
    });
  });
  const { url, program } = await serve(to, [...JSON_LOG, '--drain', '0']).catch(() => {
    throw new Error('it does not tell that it listens');
  });
  const adapter = connect(url);
  adapter.on('error', () => undefined);
  const closed = closeOf(adapter);
  adapter.write('x');
  if (endedBy !== 'target') await once(adapter, 'data');
  if (endedBy === 'client') adapter.resetAndDestroy();
  if (endedBy === 'server') program.kill();
  await closed;
  const [line] = await program.prints(/^.*"event":"failed".*$/m);
  expect(JSON.parse(line)).toMatchObject({ endedBy, reason: expect.any(String) as string });
});
