import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { createServer } from '../../src/index.ts';
import { closeOf } from '../../test/support/events.ts';
import { echo, target } from '../../test/support/peers/target.ts';
import { readAll } from '../../test/support/reading.ts';
import { forward, serve, wsconn } from '../../test/support/wsconn.ts';

function dial(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  // When the test is over the program may be killed first.
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

describe.each([
  { name: 'a WebSocket each', args: [] },
  { name: '--mux', args: ['--mux'] },
])('wsconn forward with $name', ({ args }) => {
  test('carries many connections at once, whole and apart', async () => {
    const { url } = await serve(await target(echo));
    const { port } = await forward(url, args);
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const sent = bytesOf(index, 100_000 + index);
        const socket = dial(port);
        socket.end(sent);
        expect(sha256(await readAll(socket))).toBe(sha256(sent));
      }),
    );
  });

  test('passes a half close on both ways', async () => {
    const { url } = await serve(
      await target((socket) => {
        // Answers only when all of the question is here.
        void readAll(socket).then((all) => socket.end(`${String(all.length)} bytes`));
      }),
    );
    const { port } = await forward(url, args);
    const socket = dial(port);
    socket.end('question');
    expect((await readAll(socket)).toString()).toBe('8 bytes');
  });

  test('resets the local connection when the target cannot be reached', async () => {
    const { url } = await serve(1);
    const { program, port } = await forward(url, args);
    const socket = dial(port);
    socket.write('x');
    await closeOf(socket);
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
    await program.prints(/connection 1 from 127\.0\.0\.1:\d+ failed: .+/);
  });

  test('ends on SIGTERM, with exit code 0 when nothing was open', async () => {
    const { url } = await serve(await target(echo));
    const { program, port } = await forward(url, args);
    const socket = dial(port);
    socket.end('x');
    await readAll(socket);
    program.kill();
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test('resets what is open on SIGTERM, and says how much that was', async () => {
    const { url } = await serve(await target(echo));
    const { program, port } = await forward(url, args);
    const socket = dial(port);
    socket.write('x');
    await once(socket, 'data');
    program.kill();
    await closeOf(socket);
    expect(await program.ended).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/were cut: 1\n/) as string,
    });
  });
});

test('wsconn forward --listen - moves one connection over stdin and stdout', async () => {
  const { url } = await serve(await target(echo));
  const program = wsconn(['forward', '--listen', '-', url], { input: 'over and back' });
  expect(await program.ended).toMatchObject({ code: 0, stdout: 'over and back' });
});

describe('wsconn forward --mux', () => {
  test('resets open connections at once when the server is killed, and serves new ones when it is back', async () => {
    const to = await target(echo);
    const first = await serve(to);
    const { program, port } = await forward(first.url, ['--mux']);
    const open = Array.from({ length: 5 }, () => dial(port));
    for (const socket of open) {
      socket.write('x');
      await once(socket, 'data');
    }
    const closed = Promise.all(open.map(closeOf));
    first.program.kill('SIGKILL');
    await closed;
    for (const socket of open) expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
    // This one comes while there is no server: it waits for it.
    const early = dial(port);
    early.write('early');
    await program.prints(/connecting again in/);
    await serve(to, [], { port: first.port });
    expect(String((await once(early, 'data')) as [Buffer])).toBe('early');
    const late = dial(port);
    late.end('late');
    expect((await readAll(late)).toString()).toBe('late');
  });

  test('goes to the new server while open connections finish at the old one', async () => {
    const to = await target(echo);
    const old = await serve(to, ['--drain', '60']);
    const { program, port } = await forward(old.url, ['--mux']);
    const open = dial(port);
    open.write('before');
    expect(String((await once(open, 'data')) as [Buffer])).toBe('before');
    old.program.kill();
    await program.prints(/takes no new connections/);
    await serve(to, [], { port: old.port });
    const fresh = dial(port);
    fresh.end('new');
    expect((await readAll(fresh)).toString()).toBe('new');
    open.end(' and after');
    expect((await readAll(open)).toString()).toBe(' and after');
    expect(await old.program.ended).toMatchObject({ code: 0 });
  });

  test('counts its streams for --max-connections of the server', async () => {
    const { program: server, url } = await serve(await target(echo), ['--max-connections', '1']);
    const { program, port } = await forward(url, ['--mux']);
    const first = dial(port);
    first.write('x');
    await once(first, 'data');
    const second = dial(port);
    second.write('x');
    await closeOf(second);
    expect(second.errored).toMatchObject({ code: 'ECONNRESET' });
    await server.prints(/stream \d+ refused: 1 connections are open already/);
    await program.prints(/connection 2 .*failed: .*\(EAGAIN\): 1 connections are open already/);
  });

  test('says so when the server does not multiplex', async () => {
    await using server = createServer({ handleProtocols: () => false }, (adapter) => {
      adapter.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { program } = await forward(`ws://127.0.0.1:${String(port)}`, ['--mux']);
    await program.prints(/is it wsconn serve, which --mux needs\?/);
  });
});
