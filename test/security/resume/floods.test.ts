/** Floods of what a server must keep for clients that may come back, in a process of its own. */
import { expect, onTestFinished, test } from 'vitest';

import { connect, type ResumableServerOptions } from '../../../src/index.ts';
import { closeOf, next } from '../../support/events.ts';
import { BINARY } from '../../support/peers/frames.ts';
import { begin, claim, messageOf } from '../../support/peers/resume-peer.ts';
import { startVictim, type Victim } from '../../support/peers/victim.ts';
import { readExactly } from '../../support/reading.ts';

const MIB = 1_048_576;
/** What the program itself takes, with its compiler's doings, when it gets to work. */
const OWN = 60 * MIB;

/** A collector gives memory back in its own time, and the last clients are just going. */
const SETTLED = { timeout: 30_000 };

/** Starts a server that echoes, and returns what fails unless a client is served as ever. */
async function scene(
  options: ResumableServerOptions,
): Promise<{ victim: Victim; expectServed: () => Promise<void> }> {
  const victim = await startVictim(options);
  const socket = connect(victim.url, { resume: true });
  let losses = 0;
  socket.on('disconnect', () => losses++);
  onTestFinished(() => {
    const closed = closeOf(socket);
    socket.resetAndDestroy();
    return closed;
  });
  await next(socket, 'connect');
  const expectServed = async (): Promise<void> => {
    socket.write('is anybody there?');
    expect(String(await readExactly(socket, 17))).toBe('is anybody there?');
    expect(losses).toBe(0);
  };
  await expectServed();
  return { victim, expectServed };
}

test('thousands of claims without HELLO leave one WebSocket for each session, and the session as it was', async () => {
  const { victim, expectServed } = await scene({ resume: true });
  const { peer, id } = await begin(victim.port);
  await messageOf(peer, 'ack');
  let last;
  for (let round = 0; round < 60; round++) {
    const claims = await Promise.all(Array.from({ length: 50 }, () => claim(victim.port, id, 0)));
    expect(claims.map(({ status }) => status)).toEqual(Array(50).fill(101));
    if (last) await last.peer.tcpEnd;
    last = claims.at(-1);
    if (round % 10 === 0) await expectServed();
  }
  peer.send(BINARY, Buffer.from('\0mine'));
  expect((await messageOf(peer, 'data')).bytes.toString()).toBe('mine');
  await expectServed();
  await expect.poll(victim.kept, SETTLED).toBeLessThan(10 * MIB);
});

test('thousands of sessions that are begun and left keep no more than maxSessions', async () => {
  const { victim, expectServed } = await scene({ resume: { maxSessions: 50 } });
  const COUNT = 2_000;
  for (let done = 0; done < COUNT; done += 50) {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => begin(victim.port)));
    await Promise.all(sessions.map(({ peer }) => messageOf(peer, 'ack')));
    for (const { peer } of sessions) peer.socket.resetAndDestroy();
    if (done % 500 === 0) await expectServed();
  }
  await victim.failed(COUNT - 50);
  expect(victim.errors.every(({ message }) => message.includes('maxSessions'))).toBe(true);
  await expectServed();
  await expect.poll(victim.kept, SETTLED).toBeLessThan(12 * MIB);
});

test('sessions that are filled and left keep no more than maxBytes', async () => {
  const { victim, expectServed } = await scene({
    resume: { maxBytes: 8 * MIB },
    writableHighWaterMark: MIB,
  });
  const message = Buffer.concat([Buffer.of(0), Buffer.alloc(MIB / 4 - 1)]);
  for (let session = 0; session < 200; session++) {
    const { peer } = await begin(victim.port);
    for (let sent = 0; sent < 4; sent++) peer.send(BINARY, message);
    // It takes the echo, and acknowledges nothing.
    await peer.received(MIB / 2);
    peer.socket.resetAndDestroy();
    if (session % 50 === 0) await expectServed();
  }
  await victim.failed(100);
  expect(victim.errors.every(({ message: text }) => text.includes('maxBytes'))).toBe(true);
  await expectServed();
  await expect.poll(victim.kept, SETTLED).toBeLessThan(8 * MIB + 15 * MIB);
});

test('sessions that are filled and stay keep little more than maxBytes, and others are served', async () => {
  const { victim, expectServed } = await scene({ resume: { window: MIB, maxBytes: 8 * MIB } });
  const message = Buffer.concat([Buffer.of(0), Buffer.alloc(MIB / 4 - 1)]);
  const peers = [];
  for (let session = 0; session < 100; session++) {
    const { peer } = await begin(victim.port);
    for (let sent = 0; sent < 4; sent++) peer.send(BINARY, message);
    peers.push(peer);
    if (session % 20 === 0) await expectServed();
  }
  await expectServed();
  // 100 MiB were sent; what the server has not read waits in the kernel.
  expect(victim.grown()).toBeLessThan(OWN + 50 * MIB);
  for (const peer of peers) peer.socket.resetAndDestroy();
});
