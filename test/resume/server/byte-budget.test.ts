import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import type { ResumableSocket } from '../../../src/index.ts';
import { ByteBudget } from '../../../src/resume/server/byte-budget.ts';
import { closeOf, next } from '../../support/events.ts';
import { type Connection, dial, startResumable } from '../../support/pairs/resumable-server.ts';
import { begin, claim, messageOf, sayHello } from '../../support/peers/resume-peer.ts';

const KIB = 1_024;
const MIB = 1_048_576;

/** What a budget has asked of the owner of a share. */
function owner(): { asked: string[]; giveUp(): void; relieve(): void; cut(): void } {
  const asked: string[] = [];
  const note = (what: string) => (): void => {
    asked.push(what);
  };
  return { asked, giveUp: note('giveUp'), relieve: note('relieve'), cut: note('cut') };
}

test('a budget gives up those without a WebSocket that keep bytes, the longest first, and no more than it must', () => {
  const budget = new ByteBudget(100, 10);
  const owners = [owner(), owner(), owner(), owner()];
  const [empty, first, second, attached] = owners.map((one) => budget.open(one));
  first?.update(40);
  second?.update(40);
  for (const share of [empty, first, second]) share?.hold();
  attached?.update(30);
  expect(owners.map(({ asked }) => asked)).toEqual([[], ['giveUp'], [], []]);
  expect(budget.total).toBe(70);
  expect(budget.over).toBe(false);
  attached?.update(110);
  expect(owners.map(({ asked }) => asked)).toEqual([[], ['giveUp'], ['giveUp'], []]);
  expect(budget.over).toBe(true);
});

test('a budget lets those go on that wait, once there is room again', () => {
  const budget = new ByteBudget(100, 10);
  const [waiting, other] = [owner(), owner()];
  const [share, second] = [budget.open(waiting), budget.open(other)];
  share.update(101);
  share.wait();
  share.update(90);
  expect(waiting.asked).toEqual([]);
  share.update(80);
  expect(waiting.asked).toEqual(['relieve']);
  expect(share.over).toBe(false);
  second.update(30);
  second.wait();
  share.close();
  expect(other.asked).toEqual(['relieve']);
  expect(budget.total).toBe(30);
});

test('so many take turns as their windows are a quarter of the budget; a turn that brings nothing ends the WebSocket', async () => {
  const budget = new ByteBudget(100, 10, 20);
  const owners = [owner(), owner(), owner()];
  const shares = owners.map((one) => budget.open(one));
  shares[0]?.update(101);
  for (const share of shares) share.askForTurn();
  expect(shares.map(({ hasTurn }) => hasTurn)).toEqual([true, true, false]);
  shares[0]?.endTurn();
  expect(shares.map(({ hasTurn }) => hasTurn)).toEqual([false, true, true]);
  shares[2]?.close();
  await expect.poll(() => owners[1]?.asked).toEqual(['relieve', 'cut']);
  for (const share of shares) share.close();
  expect(owners[0]?.asked).toEqual(['relieve']);
});

test('unacknowledged bytes of held connections are given up over maxBytes, the longest held first', async () => {
  const server = await startResumable(
    { resume: { maxBytes: MIB }, writableHighWaterMark: MIB },
    (socket) => socket.write(randomBytes(400 * KIB)),
  );
  const sessions = [];
  for (const at of [0, 1]) {
    const session = await begin(server.port);
    await session.peer.received(400 * KIB);
    const lost = next(await server.connection(at), 'disconnect');
    session.peer.socket.destroy();
    await lost;
    sessions.push(session);
  }
  await begin(server.port);
  await closeOf(await server.connection(0));
  const [error] = server.connections[0]?.events.errors ?? [];
  expect(error).toMatchObject({ code: 'ECONNRESET', cause: { code: 'ECONNRESET' } });
  expect(error?.message).toMatch(/over maxBytes.*; 409600 written bytes were not acknowledged/);
  const id = sessions[1]?.id as Buffer;
  const { peer, status } = await claim(server.port, id, 0);
  expect(status).toBe(101);
  sayHello(peer, id);
  await peer.received(400 * KIB);
});

test('a reader that stops holds its peer back over maxBytes, and every byte comes when it reads again', async () => {
  const server = await startResumable({ resume: { maxBytes: 256 * KIB } }, () => undefined);
  const socket = await dial(server.url);
  const bytes = randomBytes(4 * MIB);
  socket.end(bytes);
  const atServer = (await server.connection(0)) as ResumableSocket;
  await expect.poll(() => atServer.ws?.isPaused).toBe(true);
  expect(atServer.bytesRead).toBeLessThan(MIB);
  const hash = createHash('sha256');
  atServer.on('data', (chunk: Buffer) => hash.update(chunk));
  await once(atServer, 'end');
  expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('one that is held back by the bytes of another goes on when those are gone', async () => {
  const greedy: Connection[] = [];
  const server = await startResumable({ resume: { maxBytes: 256 * KIB } }, (socket) => {
    greedy.push(socket);
  });
  const [first, second] = [await dial(server.url), await dial(server.url)];
  first.write(randomBytes(MIB));
  const [stopped, other] = [await server.connection(0), await server.connection(1)];
  await expect.poll(() => stopped.ws?.isPaused).toBe(true);
  second.write(randomBytes(MIB));
  await expect.poll(() => other.ws?.isPaused).toBe(true);
  stopped.destroy();
  let bytes = 0;
  second.on('close', () => undefined);
  other.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await expect.poll(() => bytes).toBe(MIB);
});

test('a writer whose peer acknowledges nothing waits at its high-water mark over maxBytes', async () => {
  const server = await startResumable(
    { resume: { maxBytes: 64 * KIB }, writableHighWaterMark: 16 * KIB },
    (socket) => socket.write(randomBytes(MIB)),
  );
  const { peer } = await begin(server.port);
  await messageOf(peer, 'data');
  const atServer = await server.connection(0);
  await expect.poll(() => peer.byteCount).toBeGreaterThan(60 * KIB);
  // Three more round trips bring nothing.
  for (let round = 0; round < 3; round++) {
    const pong = next(atServer.ws as NonNullable<typeof atServer.ws>, 'pong');
    atServer.ws?.ping();
    await peer.frame(9).then(({ payload }) => {
      peer.send(10, payload);
    });
    await pong;
  }
  expect(peer.byteCount).toBeLessThan(192 * KIB);
});

test('echoes that fill both directions go on over maxBytes, and every byte comes back', async () => {
  const server = await startResumable({ resume: { maxBytes: 64 * KIB } });
  const sums = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const socket = await dial(server.url);
      const bytes = randomBytes(2 * MIB);
      socket.end(bytes);
      const hash = createHash('sha256');
      for await (const chunk of socket) hash.update(chunk as Buffer);
      return hash.digest('hex') === createHash('sha256').update(bytes).digest('hex');
    }),
  );
  expect(sums).toEqual(Array(6).fill(true));
  expect(server.connections.flatMap(({ events }) => events.errors)).toEqual([]);
});
