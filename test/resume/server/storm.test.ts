/**
 * Many sessions that lose their path at once, as when the proxy in front is restarted. The suite
 * has 100; RESUME_STORM=1000 has more, and prints how many were back when.
 */
import { randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import type { ResumableSocket } from '../../../src/index.ts';
import { closeOf, next } from '../../support/events.ts';
import { dial, startRelay, startResumable } from '../../support/pairs/resumable-server.ts';
import { readExactly } from '../../support/reading.ts';

const COUNT = Number(process.env['RESUME_STORM'] ?? 100);
/** Time in ms over which those that are back are counted together. */
const SLICE = 200;
/** Clients that dial at once when all begins. */
const AT_ONCE = 50;

test(`${String(COUNT)} sessions come back at once when the relay in front was restarted, with every byte`, async () => {
  const server = await startResumable({ maxConnections: COUNT });
  const relay = await startRelay(server.port);
  const sockets: ResumableSocket[] = [];
  while (sockets.length < COUNT) {
    const some = Math.min(AT_ONCE, COUNT - sockets.length);
    const dialled = Array.from({ length: some }, () => dial(relay.url));
    sockets.push(...(await Promise.all(dialled)));
  }
  for (const socket of sockets) socket.write('x');
  await Promise.all(sockets.map((socket) => readExactly(socket, 1)));
  const { port } = relay;
  const lost = Promise.all(sockets.map((socket) => next(socket, 'disconnect')));
  const times: number[] = [];
  let since = 0;
  const back = Promise.all(
    sockets.map((socket) =>
      next(socket, 'reconnect').then(() => times.push(performance.now() - since)),
    ),
  );
  await relay.stop();
  await lost;
  const sent = sockets.map(() => randomBytes(4_096));
  for (const [at, socket] of sockets.entries()) socket.write(sent[at]);
  const again = await startRelay(server.port, port);
  since = performance.now();
  const got = await Promise.all(sockets.map((socket) => readExactly(socket, 4_096)));
  await back;
  expect(got.every((bytes, at) => bytes.equals(sent[at] as Buffer))).toBe(true);
  expect(times).toHaveLength(COUNT);
  expect(server.server.connections).toBe(COUNT);
  expect(server.refused).toEqual([]);
  expect(again.accepted).toBeGreaterThanOrEqual(COUNT);
  // Together, and while there is a path on which each can say so.
  const closed = Promise.all(sockets.map((socket) => closeOf(socket)));
  for (const socket of sockets) socket.resetAndDestroy();
  await closed;
  if (process.env['RESUME_STORM'] !== undefined) {
    const slices = Array.from(
      { length: Math.ceil(Math.max(...times) / SLICE) },
      (_, at) => times.filter((time) => Math.floor(time / SLICE) === at).length,
    );
    const share = (part: number): string =>
      times.toSorted((a, b) => a - b)[Math.ceil(part * COUNT) - 1]?.toFixed(0) ?? '';
    // eslint-disable-next-line no-console -- the figure is what it is asked for
    console.log(
      `back after ms: 10 % ${share(0.1)}, 50 % ${share(0.5)}, 90 % ${share(0.9)}, all ${share(1)}; ${String(again.accepted)} TCP connections; in each ${String(SLICE)} ms: ${slices.join(' ')}`,
    );
  }
});
