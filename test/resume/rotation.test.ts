import { once } from 'node:events';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, type ResumableSocket } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { startLink } from '../support/links/start-link.ts';
import { startRelay, startResumable } from '../support/pairs/resumable-server.ts';
import { readAll } from '../support/reading.ts';

test('the next WebSocket is opened before the old one is given up, and nothing is lost or doubled', async () => {
  const relay = await startRelay((await startResumable()).port);
  const socket: ResumableSocket = connect(relay.url, { resume: { rotate: 50 } });
  let disconnects = 0;
  socket.on('disconnect', () => disconnects++);
  await once(socket, 'connect');
  const echoed = readAll(socket);
  const parts = Array.from({ length: 60 }, (_, seed) => bytesOf(seed, 100_000));
  let turns = 0;
  for (const part of parts) {
    if (!socket.write(part)) await once(socket, 'drain');
    const before = socket.ws;
    // Long enough for several of them, however slow the machine is.
    if (turns < 5) await expect.poll(() => socket.ws !== before, { interval: 5 }).toBe(true);
    turns++;
  }
  socket.end();
  expect(sha256(await echoed)).toBe(sha256(Buffer.concat(parts)));
  await closeOf(socket);
  expect(disconnects).toBe(0);
  expect(relay.accepted).toBeGreaterThan(5);
});

test('a rotation that fails leaves the WebSocket of now as it is, and is tried again', async () => {
  const relay = await startRelay((await startResumable()).port);
  const socket = connect(relay.url, { resume: { rotate: 100 } });
  onTestFinished(async () => {
    socket.destroy();
    await closeOf(socket);
  });
  let disconnects = 0;
  socket.on('disconnect', () => disconnects++);
  await once(socket, 'connect');
  socket.write('a');
  await once(socket, 'data');
  const first = socket.ws;
  relay.refuse = true;
  const refusals = relay.refused;
  await expect.poll(() => relay.refused).toBeGreaterThan(refusals + 1);
  expect(socket.ws).toBe(first);
  socket.write('b');
  expect(String((await once(socket, 'data')).at(0))).toBe('b');
  relay.refuse = false;
  await expect.poll(() => socket.ws !== first, { timeout: 20_000 }).toBe(true);
  socket.write('c');
  expect(String((await once(socket, 'data')).at(0))).toBe('c');
  expect(disconnects).toBe(0);
});

test('a connection that rotates all the time comes to its end', async () => {
  const { port } = await startResumable();
  // Each WebSocket is given up before its closing handshake could come to its end.
  const link = await startLink(port, { delay: 20 });
  const url = `ws://127.0.0.1:${String(link.port)}`;
  const socket = connect(url, { resume: { rotate: 1 } });
  await once(socket, 'connect');
  const first = socket.ws;
  const echoed = readAll(socket);
  socket.write('a');
  await expect.poll(() => socket.ws !== first, { interval: 5, timeout: 20_000 }).toBe(true);
  socket.end('b');
  expect(String(await echoed)).toBe('ab');
  await closeOf(socket);
  expect(socket.errored).toBeNull();
});
