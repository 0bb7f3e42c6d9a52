/** How `forward` ends at SIGTERM, as the log of its server tells it. */
import { once } from 'node:events';
import net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readAll } from '../../../test/support/reading.ts';
import { forward, serve } from '../../../test/support/wsconn.ts';

const MIB = 1024 * 1024;

function dial(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'with --mux %s ends the WebSocket in order where nothing is open',
  async (signal) => {
    const { program: server, url } = await serve(await target(echo));
    const { program, port } = await forward(url, ['--mux']);
    await program.prints(/connected to/);
    const socket = dial(port);
    socket.end('x');
    await readAll(socket);
    await server.prints(/stream 1 ended/);
    program.kill(signal);
    expect(await program.ended).toMatchObject({ code: 0 });
    await server.prints(/multiplexer 1 ended after/);
    expect(server.stderr).not.toMatch(/failed/);
  },
);

test('with --mux it delivers what open connections have sent, and ends the WebSocket in order', async () => {
  let received: Promise<Buffer> | undefined;
  const { program: server, url } = await serve(
    await target((socket) => {
      socket.write('hello');
      received = readAll(socket);
    }),
  );
  const { program, port } = await forward(url, ['--mux']);
  const socket = dial(port);
  await once(socket, 'data');
  const sent = Buffer.alloc(MIB, 'x');
  await new Promise((resolve) => socket.write(sent, resolve));
  program.kill();
  await closeOf(socket);
  expect(await program.ended).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(
      /warning: connections that were still open and were cut: 1\n$/,
    ) as string,
  });
  const all = (await received) ?? Buffer.alloc(0);
  // What this test's kernel still holds for the program, that has not taken it.
  expect(sent.subarray(0, all.length).equals(all)).toBe(true);
  expect(all.length).toBeGreaterThan(0);
  await server.prints(/multiplexer 1 ended after/);
  expect(server.stderr).not.toMatch(/failed/);
});

test('with --mux it ends in order while the target sends on', async () => {
  const { program: server, url } = await serve(
    await target((socket) => {
      socket.on('error', () => undefined);
      const more = (): void => {
        while (socket.writable && socket.write(Buffer.alloc(65_536)));
      };
      socket.on('drain', more);
      more();
    }),
  );
  const { program, port } = await forward(url, ['--mux']);
  const socket = dial(port);
  socket.resume();
  await once(socket, 'data');
  // To a reader with bytes that it has not read yet libuv may show a reset as an end: it takes
  // POLLHUP for one (uv__stream_io).
  socket.once('end', () => socket.destroy());
  const closed = closeOf(socket);
  program.kill();
  expect(await program.ended).toMatchObject({ code: 0 });
  await closed;
  await server.prints(/multiplexer 1 ended after/);
});

test('with --mux it ends in order while it is waiting for a server', async () => {
  const { program, port } = await forward('ws://127.0.0.1:1', ['--mux']);
  const socket = dial(port);
  socket.write('x');
  await program.prints(/connecting again in/);
  program.kill();
  await closeOf(socket);
  expect(await program.ended).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/were cut: 1\n$/) as string,
  });
});
