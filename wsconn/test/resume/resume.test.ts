/** `--resume` of connect and forward, and `--resume-hold` of serve, over a path that is cut. */
import { once } from 'node:events';
import net from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { closeOf } from '../../../test/support/events.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readAll } from '../../../test/support/reading.ts';
import { forward, runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';
import { startRelay } from './start-relay.ts';

function dial(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  // When the test is over the program may be killed first.
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

const BACK = /connection is back after \d+\.\d s\n/;
const LOST = /connection lost \([^)]+\); reconnecting …\n/;

describe('wsconn connect --resume', () => {
  test('goes on when the path is cut, and says once that it is lost and once that it is back', async () => {
    const { program: server, port } = await serve(await target(echo));
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', relay.url]);
    program.write('before ');
    await program.prints(/before /);
    relay.cut();
    await program.prints(BACK);
    program.write('and after');
    await program.prints(/before and after/);
    program.child.stdin.end();
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'before and after' });
    expect(stderr).toMatch(
      new RegExp(`^wsconn connect: ${LOST.source}wsconn connect: ${BACK.source}$`),
    );
    await server.prints(/connection 1 lost its path \(.+\); held for its client\n/);
    await server.prints(/connection 1 is back after \d+\.\d s\n/);
    await server.prints(/connection 1 ended after .*: 16 bytes in, 16 bytes out/);
  });

  test('has the two in the JSON log, with reason and seconds', async () => {
    const { program: server, port } = await serve(await target(echo), ['--log-format', 'json']);
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', '--log-format', 'json', relay.url]);
    program.write('x');
    await program.prints(/x/);
    relay.cut();
    await program.prints(/"event":"reconnect"/);
    program.child.stdin.end();
    const { stderr } = await program.ended;
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      expect.objectContaining({
        event: 'disconnect',
        level: 'info',
        reason: expect.any(String) as string,
      }),
      expect.objectContaining({ event: 'reconnect', seconds: expect.any(Number) as number }),
    ]);
    await server.prints(/"event":"disconnect"/);
    await server.prints(/"event":"reconnect"/);
  });

  test('gives up when the server is gone for good, and says what was at stake', async () => {
    const { program: server, port } = await serve(await target(echo));
    const relay = await startRelay(port);
    const args = ['connect', '--resume', '--resume-give-up', '0.5', relay.url];
    const program = wsconn(args);
    program.write('x');
    await program.prints(/x/);
    relay.unreachable = true;
    relay.cut();
    await program.prints(LOST);
    program.write('five!');
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /\nwsconn connect: 127\.0\.0\.1:\d+: .*no way back to the server was found within 500 ms; 5 written bytes were not acknowledged \(ETIMEDOUT\): .+\(ECONNRESET\)\n$/,
    );
    server.kill('SIGKILL');
  });

  test('says that a restarted server does not know it any more', async () => {
    const to = await target(echo);
    const first = await serve(to);
    const program = wsconn(['connect', '--resume', first.url]);
    program.write('x');
    await program.prints(/x/);
    first.program.kill('SIGKILL');
    await program.prints(LOST);
    const second = await serve(to, [], { port: first.port });
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /\nwsconn connect: 127\.0\.0\.1:\d+: .*the connection cannot be resumed: the server does not know the connection: .*; 0 written bytes were not acknowledged \(ECONNRESET\)\n$/,
    );
    await second.program.prints(/refused 127\.0\.0\.1:\d+ with 410/);
  });

  test('warns where the server resumes nothing, and ends as without it', async () => {
    const { port } = await serve(await target(echo), ['--resume-hold', '0']);
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', relay.url]);
    program.write('x');
    await program.prints(/x/);
    await program.prints(/warning: the server does not resume connections/);
    relay.cut();
    expect(await program.ended).toMatchObject({
      code: 1,
      stderr: expect.not.stringMatching(/reconnecting/) as string,
    });
  });

  test('delivers what stdin brought and exits with 0 when the path is cut at the end', async () => {
    let receive: (all: Buffer) => void;
    const received = new Promise<Buffer>((resolve) => (receive = resolve));
    const to = await target((socket) => {
      socket.once('data', () => {
        relay.cut();
      });
      void readAll(socket).then((all) => {
        receive(all);
        socket.end('done');
      });
    });
    const { port } = await serve(to);
    const relay = await startRelay(port);
    const sent = bytesOf(7, 3_000_000);
    const program = wsconn(['connect', '--resume', relay.url], { input: sent });
    expect(sha256(await received)).toBe(sha256(sent));
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'done' });
  });

  test.each([
    ['--resume-rotate', '5'],
    ['--resume-give-up', '60'],
  ])('%s alone is an error', async (option, seconds) => {
    const { code, stderr } = await runWsconn(['connect', option, seconds, 'ws://127.0.0.1:1']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `wsconn connect: ${option} belongs to --resume: give that too\n`,
    });
  });

  test('rotates over a path that ends every connection, without a loss', async () => {
    const { port } = await serve(await target(echo));
    const relay = await startRelay(port);
    relay.endAfter = 3000;
    const args = ['connect', '--resume', '--resume-rotate', '1', relay.url];
    const program = wsconn(args);
    program.write('x');
    await program.prints(/x/);
    await expect.poll(() => relay.accepted, { timeout: 20_000 }).toBeGreaterThan(4);
    program.child.stdin.end('y');
    expect(await program.ended).toEqual({ code: 0, stdout: 'xy', stderr: '' });
  });
});

describe.each([
  { name: 'a WebSocket each', args: [] },
  { name: '--mux', args: ['--mux'] },
])('wsconn forward --resume with $name', ({ args }) => {
  test('carries many connections over a path that is cut again and again', async () => {
    const { program: server, port: to } = await serve(await target(echo));
    const relay = await startRelay(to);
    const { program, port } = await forward(relay.url, ['--resume', ...args]);
    const sockets = Array.from({ length: 5 }, () => dial(port));
    for (const socket of sockets) {
      socket.write('x');
      await once(socket, 'data');
    }
    const cutting = setInterval(() => {
      relay.cut();
    }, 150);
    onTestFinished(() => {
      clearInterval(cutting);
    });
    await Promise.all(
      sockets.map(async (socket, index) => {
        const sent = bytesOf(index, 4_000_000 + index);
        socket.end(sent);
        expect(sha256(await readAll(socket))).toBe(sha256(sent));
      }),
    );
    clearInterval(cutting);
    expect(program.stderr).toMatch(LOST);
    await program.prints(BACK);
    expect(program.stderr).not.toMatch(/failed|connecting again/);
    expect(server.stderr).not.toMatch(/failed/);
  });

  test('says once that the path of many connections is lost, and once that it is back', async () => {
    const { port: to } = await serve(await target(echo));
    const relay = await startRelay(to);
    const { program, port } = await forward(relay.url, ['--resume', ...args]);
    const sockets = Array.from({ length: 5 }, () => dial(port));
    for (const socket of sockets) {
      socket.write('x');
      await once(socket, 'data');
    }
    relay.unreachable = true;
    relay.cut();
    await program.prints(LOST);
    relay.unreachable = false;
    await program.prints(BACK);
    for (const socket of sockets) {
      socket.end('y');
      expect((await readAll(socket)).toString()).toBe('y');
    }
    expect(program.stderr.match(/connection lost/g)).toHaveLength(1);
    expect(program.stderr.match(/connection is back/g)).toHaveLength(1);
  });

  test('resets open connections when it gives up, and serves new ones when the server is back', async () => {
    const { port: to } = await serve(await target(echo));
    const relay = await startRelay(to);
    const patience = ['--resume', '--resume-give-up', '0.5'];
    const { program, port } = await forward(relay.url, [...patience, ...args]);
    const open = dial(port);
    open.write('x');
    await once(open, 'data');
    relay.unreachable = true;
    relay.cut();
    await closeOf(open);
    expect(open.errored).toMatchObject({ code: 'ECONNRESET' });
    await program.prints(/no way back to the server was found within 500 ms/);
    relay.unreachable = false;
    const late = dial(port);
    late.end('late');
    expect((await readAll(late)).toString()).toBe('late');
  });
});
