import { describe, expect, test } from 'vitest';

import { record } from '../support/events.ts';
import { meetAdapter, meetRaw, ROLES } from '../support/pairs/meet.ts';
import { BINARY, PING, PONG } from '../support/peers/frames.ts';

const TOO_MUCH = 64 * 1024 * 1024;

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe.each(ROLES)('the keepalive of a %s whose send queue is full', (role) => {
  test('leaves a peer alone that takes its bytes slowly, and gets to the ping late', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter.resume());
    peer.socket.pause();
    adapter.write(Buffer.alloc(TOO_MUCH));
    adapter.ping({ interval: 50, pongTimeout: 1_500 });
    // Reads now and then, far less than waits in the queue, and says nothing.
    const until = performance.now() + 5_000;
    while (performance.now() < until) {
      peer.socket.resume();
      await new Promise((resolve) => peer.socket.once('data', resolve));
      peer.socket.pause();
      await pass(20);
    }
    expect(recording.errors).toEqual([]);
  });

  test('takes a peer for dead when nothing moves', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter.resume());
    peer.socket.pause();
    adapter.ping({ interval: 50, pongTimeout: 200 });
    adapter.write(Buffer.alloc(TOO_MUCH));
    // The first ping has 64 KiB before it, which may take 8 s.
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ETIMEDOUT' });
    expect(recording.errors[0]?.message).toContain('send queue');
  });
});

describe.each(ROLES)('the keepalive of a %s whose reader holds back', (role) => {
  test('does not get its own connection killed, nor does that of the other end', async () => {
    const keepalive = { interval: 30, pongTimeout: 100 };
    const { adapter, peer } = await meetAdapter(role, { keepalive, readableHighWaterMark: 16 });
    const [mine, others] = [record(adapter), record(peer.resume())];
    peer.write(Buffer.alloc(100_000));
    await pass(10 * keepalive.pongTimeout);
    expect([mine.errors, others.errors]).toEqual([[], []]);
    let got = 0;
    adapter.on('data', (chunk: Buffer) => (got += chunk.length));
    while (got < 100_000) await pass(5);
    expect(await adapter.close()).toBeNull();
  });

  test('goes on to send something to the peer when the reader pauses and resumes all the time', async () => {
    const { adapter, peer } = await meetRaw(role, { readableHighWaterMark: 16 });
    adapter.ping({ interval: 100, pongTimeout: 10_000 });
    // Each message fills the reader's buffer, so that each read resumes and pauses the connection.
    const until = performance.now() + 2_000;
    let control = 0;
    while (performance.now() < until && control < 3) {
      peer.send(BINARY, Buffer.alloc(64));
      await pass(5);
      adapter.read();
      control = peer.frames.filter(({ opcode }) => opcode === PING || opcode === PONG).length;
    }
    expect(control).toBeGreaterThanOrEqual(3);
  });
});
