import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

import { target } from '../../test/support/peers/target.ts';
import { runWsconn, serve, wsconn } from '../../test/support/wsconn.ts';
import { PingStatistics } from '../src/ping/ping-statistics.ts';

test('ping prints each round trip and a summary, and dials no target', async () => {
  let dialled = 0;
  const { url } = await serve(await target(() => dialled++));
  const { code, stdout, stderr } = await runWsconn([
    'ping',
    '--count',
    '3',
    '--interval',
    '0.05',
    url,
  ]);
  expect({ code, stderr, dialled }).toEqual({ code: 0, stderr: '', dialled: 0 });
  const [head, ...rest] = stdout.split('\n');
  expect(head).toMatch(/^PING ws:\/\/127\.0\.0\.1:\d+\/ \(127\.0\.0\.1:\d+\)$/);
  for (const [index, line] of rest.slice(0, 3).entries()) {
    expect(line).toMatch(
      new RegExp(
        `^pong from 127\\.0\\.0\\.1:\\d+: seq=${String(index + 1)} time=\\d+\\.\\d{3} ms$`,
      ),
    );
  }
  expect(stdout).toMatch(
    /--- ws:.* ping statistics ---\n3 pings sent, 3 answered, 0% unanswered\n/,
  );
  expect(stdout).toMatch(/round trip min\/avg\/max\/mdev = (\d+\.\d{3}\/){3}\d+\.\d{3} ms\n$/);
});

test('ping --json prints one object a line', async () => {
  const { url } = await serve(1);
  const { code, stdout } = await runWsconn([
    'ping',
    '--json',
    '--count',
    '2',
    '--interval',
    '0.05',
    url,
  ]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(code).toBe(0);
  expect(lines).toMatchObject([{ seq: 1 }, { seq: 2 }, { sent: 2, received: 2 }]);
});

test('Ctrl-C ends ping with its summary, and exit code 0 when all were answered', async () => {
  const { url } = await serve(1);
  const program = wsconn(['ping', '--interval', '0.05', url]);
  await program.prints(/seq=2/);
  program.kill('SIGINT');
  const { code, stdout } = await program.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/0% unanswered/);
});

test('ping says so when the server goes away, with exit code 1', async () => {
  const { program: server, url } = await serve(1);
  const program = wsconn(['ping', '--interval', '0.05', url]);
  await program.prints(/seq=1/);
  server.kill();
  expect(await program.ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /closed the connection \(1012\): the server is shutting down/,
    ) as string,
  });
});

test('ping works with any WebSocket server, also one that talks and knows no subprotocol', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
  server.on('connection', (ws) => {
    ws.send('welcome');
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ended = await runWsconn(['ping', '--count', '1', `ws://127.0.0.1:${String(port)}`]);
  server.close();
  expect(ended).toMatchObject({ code: 0, stderr: '' });
});

test('a reader of ping who has seen enough ends it without a word', async () => {
  const { url } = await serve(1);
  const program = wsconn(['ping', '--interval', '0.05', url]);
  await program.prints(/seq=1/);
  program.child.stdout.destroy();
  expect(await program.ended).toMatchObject({ code: 141, stderr: '' });
});

test('the statistics are those of ping(8)', () => {
  const statistics = new PingStatistics();
  expect(statistics.roundTrips).toBeNull();
  for (const rtt of [1, 2, 3, 6]) statistics.countReceived(rtt);
  const { min, avg, max, mdev } = statistics.roundTrips ?? {};
  expect({ min, avg, max }).toEqual({ min: 1, avg: 3, max: 6 });
  // The root of the mean of the squares, less the square of the mean.
  expect(mdev).toBeCloseTo(Math.sqrt(50 / 4 - 9));
});
