/** What a peer sends gets into no other line, field or colour than its own. */
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';

import { describe, expect, test } from 'vitest';

import { connect, createServer } from '../../src/index.ts';
import { escaped, quoted } from '../../wsconn/src/console/escape.ts';
import { closeOf } from '../support/events.ts';
import { echo, target } from '../support/peers/target.ts';
import { runWsconn, serve } from '../support/wsconn.ts';

/** Starts a line, clears the screen, turns the writing round; and what else moves a terminal. */
const NASTY = 'a\n2026 wsconn: b\r\t\u001b[2J\u009b31m\u202ec\u2066\u200f\u061c\u2028\u2029\u007f';
const ESCAPED = String.raw`a\n2026 wsconn: b\r\t\u001b[2J\u009b31m\u202ec\u2066\u200f\u061c\u2028\u2029\u007f`;
/** What must be in no output; line ends stand between lines. */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

test('all of it is escaped', () => {
  expect(escaped(NASTY)).toBe(ESCAPED);
  expect(escaped('plain, ünïcödé, …')).toBe('plain, ünïcödé, …');
});

test('a quoted field shows its own quotes as such, and is not endless', () => {
  expect(quoted('a" b\\')).toBe(String.raw`"a\" b\\"`);
  expect(JSON.parse(quoted(NASTY))).toBe(NASTY);
  expect(quoted('x'.repeat(10_000)).length).toBeLessThan(300);
});

describe('a Close reason', () => {
  test.each([[[]], [['--verbose']]])('of the server is escaped by connect %j', async (options) => {
    await using server = createServer((socket) => {
      void socket.close(4000, NASTY);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { stderr } = await runWsconn(['connect', ...options, `ws://127.0.0.1:${String(port)}`]);
    expect(stderr).toContain(`(4000): ${ESCAPED}\n`);
    expect(stderr).not.toMatch(UNSAFE);
    expect(stderr).not.toMatch(/^2026/m);
  });

  test('of a client is quoted in the log of serve, also with --verbose', async () => {
    const { program, url } = await serve(await target(echo), ['--verbose']);
    const client = connect(url);
    await once(client, 'connect');
    await client.close(4000, `bye) after 9.0 s: 5 bytes in\n    at forged`);
    await closeOf(client);
    await program.prints(
      /connection 1 failed \(the other end closed the connection \(4000\): "bye\) after 9\.0 s: 5 bytes in\\n {4}at forged"\) after [\d.]+ s: 0 bytes in/,
    );
    await program.prints(/\n +at [^f]/);
    expect(program.stderr).not.toMatch(/^ *at forged/m);
  });
});

describe('headers', () => {
  test('of a client cannot forge fields of its line', async () => {
    const { program, url } = await serve(await target(echo));
    const forged = '9.9.9.9) opened, "token": "ok';
    const client = connect(url, { headers: { 'X-Forwarded-For': forged } });
    await once(client, 'connect');
    await program.prints(
      /connection 1 from 127\.0\.0\.1:\d+ \(X-Forwarded-For: "9\.9\.9\.9\) opened, \\"token\\": \\"ok"\) opened\n/,
    );
    await client.close();
  });

  test('with bytes over 127 are escaped, in a refusal too', async () => {
    const { program, port } = await serve(await target(echo));
    const socket = net.connect(port, '127.0.0.1');
    socket.end(
      Buffer.from(
        [
          'GET / HTTP/1.1',
          'Host: x',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
          'Origin: http://a\u009b2J"b',
          'X-Forwarded-For: \u009b31m',
          '',
          '',
        ].join('\r\n'),
        'latin1',
      ),
    );
    socket.resume();
    await program.prints(
      /\(X-Forwarded-For: "\\u009b31m"\) with 403: --allow-origin does not list the Origin "http:\/\/a\\u009b2J\\"b"\n/,
    );
    await closeOf(socket);
    expect(program.stderr).not.toMatch(UNSAFE);
  });

  test('of a server that is none do not get into the line of a client', async () => {
    const server = http
      .createServer((_request, response) => {
        response.writeHead(500, 'a\u009b2Jb', { Location: '/\u009b2J' }).end('\u001b[2J');
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const command of ['connect', 'ping', 'doctor']) {
      const { stderr } = await runWsconn([command, '--verbose', `ws://127.0.0.1:${String(port)}`]);
      expect(stderr).toMatch(/500/);
      expect(stderr).not.toMatch(UNSAFE);
    }
    server.close();
    server.closeAllConnections();
    await once(server, 'close').catch(() => undefined);
  });
});
