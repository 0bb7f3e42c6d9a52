/** The path is cut at each byte of a handshake, either way, and what follows it. */
import { randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf, record } from '../../support/events.ts';
import { inParallel } from '../../support/in-parallel.ts';
import { type Direction, PlannedRelay } from '../../support/links/planned-relay.ts';
import {
  dial,
  type ResumableServer,
  startResumable,
} from '../../support/pairs/resumable-server.ts';
import { readExactly } from '../../support/reading.ts';

/** More bytes than a request has with its HELLO, and an answer with its acknowledgement. */
const MOST: Readonly<Record<Direction, number>> = { up: 480, down: 400 };
/** Sessions at once. */
const AT_ONCE = 25;

/** Resumes a session over a path that is cut then, and returns how often it came back. */
async function comeBack(
  server: ResumableServer,
  direction: Direction,
  at: number,
): Promise<number> {
  const relay = await PlannedRelay.start(server.port);
  const socket = await dial(relay.url);
  let backs = 0;
  socket.on('reconnect', () => backs++);
  socket.write('begun');
  await readExactly(socket, 5);
  relay.cutNextAt(direction, at);
  const bytes = randomBytes(2_000);
  socket.write(bytes.subarray(0, 1_000));
  relay.cut();
  socket.end(bytes.subarray(1_000));
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  expect(Buffer.concat(parts).equals(bytes), `cut at ${direction} ${String(at)}`).toBe(true);
  await closeOf(socket);
  expect(socket.errored).toBeNull();
  return backs;
}

test.each<Direction>(['up', 'down'])(
  'a session whose handshake is cut at any byte on the way %s comes back with every byte once',
  async (direction) => {
    const server = await startResumable();
    const backs: number[] = [];
    await inParallel(MOST[direction], AT_ONCE, async (at) => {
      backs[at] = await comeBack(server, direction, at);
    });
    // The cuts were before the answer, and behind it.
    expect(backs[0]).toBe(1);
    expect(backs.at(-1)).toBe(2);
    await expect.poll(() => server.server.connections).toBe(0);
    expect(server.connections.flatMap(({ events }) => events.errors)).toEqual([]);
  },
  300_000,
);

test.each<Direction>(['up', 'down'])(
  'a new session whose handshake is cut at any byte on the way %s fails before it is open or is whole, and leaves nothing at the server',
  async (direction) => {
    const server = await startResumable();
    const outcomes = new Map<string, number>();
    await inParallel(MOST[direction], AT_ONCE, async (at) => {
      const relay = await PlannedRelay.start(server.port);
      relay.cutNextAt(direction, at);
      const socket = connect(relay.url, { resume: true });
      const events = record(socket);
      let opened = false;
      socket.once('connect', () => (opened = true));
      const bytes = randomBytes(2_000);
      socket.end(bytes);
      const parts: Buffer[] = [];
      socket.on('data', (part: Buffer) => parts.push(part));
      await events.closed;
      const [error] = events.errors;
      if (!error) expect(Buffer.concat(parts).equals(bytes)).toBe(true);
      expect(events.errors.length).toBeLessThan(2);
      expect(error === undefined, `cut at ${direction} ${String(at)}`).toBe(opened);
      const outcome = error?.code ?? 'whole';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    });
    expect([...outcomes.keys()].toSorted()).toEqual(['ECONNRESET', 'whole']);
    await expect.poll(() => server.server.connections).toBe(0);
  },
  300_000,
);
