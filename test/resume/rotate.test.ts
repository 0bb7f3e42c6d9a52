import { once } from 'node:events';
import type net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer, type ResumableSocket } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';
import { readExactly } from '../support/reading.ts';

/** Starts an echo server that resumes and says who may come; returns a client that rotates. */
async function rotating(
  authenticate: () => boolean,
): Promise<{ socket: ResumableSocket; refused: () => Promise<unknown[]> }> {
  const server = createServer({ resume: true, authenticate }, (connection) => {
    connection.on('error', () => undefined);
    connection.pipe(connection);
  });
  onTestFinished(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const socket = connect(`ws://127.0.0.1:${String(port)}`, { resume: { rotate: 50 } });
  onTestFinished(() => closeOf(socket.destroy()));
  return { socket, refused: () => next(server, 'refused') };
}

test('rotation moves on to the next WebSocket without an outage', async () => {
  const { socket } = await rotating(() => true);
  let outages = 0;
  socket.on('disconnect', () => outages++);
  await once(socket, 'connect');
  const seen = new Set([socket.ws]);
  for (let i = 0; seen.size < 4; i++) {
    socket.write(String(i % 10));
    expect(String(await readExactly(socket, 1))).toBe(String(i % 10));
    seen.add(socket.ws);
  }
  expect(outages).toBe(0);
});

test('a refused rotation leaves the WebSocket that works, and is tried again', async () => {
  let [tries, open] = [0, true];
  const { socket, refused } = await rotating(() => {
    tries++;
    return open;
  });
  await once(socket, 'connect');
  const first = socket.ws;
  open = false;
  await refused();
  await refused();
  expect(tries).toBeGreaterThan(2);
  socket.write('x');
  expect(String(await readExactly(socket, 1))).toBe('x');
  expect(socket.ws).toBe(first);
  open = true;
  await expect.poll(() => socket.ws).not.toBe(first);
  socket.write('y');
  expect(String(await readExactly(socket, 1))).toBe('y');
});
