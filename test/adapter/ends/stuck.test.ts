import { describe, expect, test } from 'vitest';

import { record } from '../../support/events.ts';
import { meetRaw, ROLES } from '../../support/pairs/meet.ts';
import { PING, PONG } from '../../support/peers/frames.ts';

const SHORT = 200;
/** More than the kernels take of a connection that nobody reads. */
const TOO_MUCH = Buffer.alloc(20_000_000);

describe.each(ROLES)('a peer of a %s that reads no more', (role) => {
  describe.each([false, { interval: SHORT, pongTimeout: SHORT }])('keepalive %j', (keepalive) => {
    test.each([
      [1000, 'EPIPE'],
      [1011, 'ECONNRESET'],
    ])(
      'is given up closeTimeout after its Close %i, while the send queue stands still',
      async (code, error) => {
        const { adapter, peer } = await meetRaw(role, { closeTimeout: SHORT, keepalive });
        const recording = record(adapter.resume());
        peer.socket.pause();
        adapter.write(TOO_MUCH);
        await standsStill(adapter);
        peer.sendClose(code);
        await recording.closed;
        expect(recording.names).toEqual(['error', 'close']);
        expect(recording.errors[0]).toMatchObject({ code: error, closeCode: code });
        expect(recording.errors[0]?.message).toContain('20000000');
        expect(adapter.errored).toBe(recording.errors[0]);
      },
    );
  });

  test('is given up closeTimeout after close()', async () => {
    const { adapter, peer } = await meetRaw(role, { closeTimeout: SHORT });
    const recording = record(adapter.resume());
    peer.socket.pause();
    adapter.write(TOO_MUCH);
    await standsStill(adapter);
    expect(await adapter.close()).toMatchObject({ code: 'ETIMEDOUT' });
    expect(recording.names).toEqual(['error', 'close']);
  });

  test('is given up closeTimeout after its Close, though nothing waits here and it keeps TCP open', async () => {
    const { adapter, peer } = await meetRaw(role, { closeTimeout: SHORT });
    const recording = record(adapter.resume());
    peer.sendClose(1011, 'broken');
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({
      code: 'ECONNRESET',
      closeCode: 1011,
      closeReason: 'broken',
    });
  });
});

/** Waits until the kernel takes no more. */
async function standsStill({
  ws,
}: {
  readonly ws: { readonly bufferedAmount: number };
}): Promise<void> {
  for (let before = -1; before !== ws.bufferedAmount || before === 0;) {
    before = ws.bufferedAmount;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe.each(ROLES)('a reader that pauses while the peer of a %s pings', (role) => {
  test('answers hundreds of pings when it reads on', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter);
    adapter.resume();
    adapter.ws.pause();
    for (let i = 0; i < 300; i++) peer.send(PING, String(i));
    adapter.ws.resume();
    for (let i = 0; i < 300; i++)
      expect((await peer.frame(PONG)).payload.toString()).toBe(String(i));
    expect(recording.names).toEqual([]);
  });

  test('is told what ws did where ws has a limit of its own, and TCP is not blamed', async () => {
    const { adapter } = await meetRaw(role);
    const recording = record(adapter.resume());
    adapter.ws.terminate();
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
    expect(recording.errors[0]?.message).toContain('terminated on this side');
    expect(recording.errors[0]?.message).not.toContain('TCP');
  });
});
