import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { connect, Keepalive, type WsConnAdapter, WsConnError } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { meetRaw, meetWs, ROLES, serve, stopAfterTest } from '../support/pairs/meet.ts';
import { BINARY, PING, PONG } from '../support/peers/frames.ts';
import { idleProxy } from '../support/proxies/idle-proxy.ts';

/** Waits for a time by the clock: here it is time itself that must change nothing. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function listeners(ws: WebSocket): unknown[] {
  return ws.eventNames().map((name) => [name, ws.listenerCount(name)]);
}

describe.each(ROLES)('the keepalive of a %s', (role) => {
  test('pings an idle connection, each time with a payload of its own', async () => {
    const { adapter, peer } = await meetRaw(role);
    const keepalive = adapter.ping({ interval: 20, pongTimeout: 10_000 });
    const payloads = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const { payload } = await peer.frame(PING);
      payloads.add(payload.toString('hex'));
      const pong = next(keepalive, 'pong');
      peer.send(PONG, payload);
      const [rtt] = await pong;
      expect(keepalive.rtt).toBe(rtt);
    }
    expect(payloads.size).toBe(3);
  });

  test('pings also when only one direction moves, whichever', async () => {
    const { adapter, peer } = await meetRaw(role);
    adapter.resume();
    adapter.ping({ interval: 50, pongTimeout: 10_000 });
    const sending = setInterval(() => adapter.write('x'), 5);
    peer.send(PONG, (await peer.frame(PING)).payload);
    clearInterval(sending);
    const receiving = setInterval(() => {
      peer.send(BINARY, 'x');
    }, 5);
    await peer.frame(PING);
    clearInterval(receiving);
  });

  test('sends nothing while both directions move', async () => {
    const { adapter, peer } = await meetRaw(role);
    adapter.resume();
    adapter.write('x');
    peer.send(BINARY, 'x');
    await Promise.all([peer.received(1), next(adapter, 'data')]);
    adapter.ping({ interval: 400, pongTimeout: 10_000 });
    const moving = setInterval(() => {
      adapter.write('x');
      peer.send(BINARY, 'x');
    }, 5);
    await pass(1_500);
    clearInterval(moving);
    expect(peer.frames.filter(({ opcode }) => opcode === PING)).toEqual([]);
  });

  test('takes a peer for dead that sends no byte for pongTimeout after a ping', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter.resume());
    const keepalive = adapter.ping({ interval: 20, pongTimeout: 50 });
    const dead = next(keepalive, 'dead');
    await peer.frame(PING);
    const [error] = await dead;
    expect(error).toBeInstanceOf(WsConnError);
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors).toEqual([error]);
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('takes any byte for life, not only the pong', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter.resume());
    adapter.ping({ interval: 20, pongTimeout: 500 });
    peer.send(BINARY, '', { claims: 1_000 });
    for (let i = 0; i < 5; i++) {
      // One byte of a message that never gets whole.
      await peer.frame(PING);
      peer.socket.write('x');
    }
    expect(recording.names).toEqual([]);
    expect(adapter.ping().rtt).toBeUndefined();
  });

  test('leaves a paused reader alone for ten pong timeouts, and shows the peer that it lives', async () => {
    const { adapter, peer } = await meetRaw(role, { readableHighWaterMark: 16 });
    const recording = record(adapter);
    adapter.ping({ interval: 20, pongTimeout: 60 });
    peer.send(BINARY, Buffer.alloc(1_000));
    while (!adapter.ws.isPaused) await pass(1);
    const before = peer.frames.length;
    await pass(600);
    expect(recording.names).toEqual([]);
    const shown = peer.frames.slice(before).filter(({ opcode }) => opcode === PONG);
    expect(shown.length).toBeGreaterThan(2);
    // And the loop goes on when the reader does.
    adapter.resume();
    peer.send(PONG, (await peer.frame(PING)).payload);
  });

  test('stops for good with stop(), however often', async () => {
    const { adapter, peer } = await meetRaw(role);
    adapter.resume();
    const keepalive = adapter.ping({ interval: 20, pongTimeout: 50 });
    await peer.frame(PING);
    keepalive.stop();
    keepalive.stop();
    const count = peer.frames.length;
    await pass(300);
    expect(peer.frames).toHaveLength(count);
    expect(adapter.destroyed).toBe(false);
  });

  test.each([
    ['close()', (a: WsConnAdapter) => a.close()],
    ['destroy()', (a: WsConnAdapter) => a.destroy()],
    ['resetAndDestroy()', (a: WsConnAdapter) => a.resetAndDestroy()],
  ])(
    'says nothing after %s, though the pong timeout is due in the same tick',
    async (_name, end) => {
      const { adapter, peer } = await meetRaw(role, { closeTimeout: 300 });
      const recording = record(adapter.resume());
      const keepalive = adapter.ping({ interval: 10, pongTimeout: 50 });
      let dead = 0;
      keepalive.on('dead', () => dead++);
      await peer.frame(PING);
      // Holds the event loop until the timeout is due, so that both come at once.
      const until = performance.now() + 100;
      while (performance.now() < until);
      void end(adapter);
      await recording.closed;
      await pass(100);
      expect(dead).toBe(0);
      expect(recording.errors.filter(({ message }) => message.includes('taken for dead'))).toEqual(
        [],
      );
    },
  );

  test('works on a plain ws, and terminates it when the peer is dead', async () => {
    const { adapter, peer: ws } = await meetWs(role);
    const before = listeners(ws);
    const keepalive = new Keepalive(ws, { interval: 20, pongTimeout: 100 });
    expect(keepalive.rtt).toBeUndefined();
    await next(keepalive, 'pong');
    expect(keepalive.rtt).toBeGreaterThanOrEqual(0);
    // From here on nobody reads at the other end, and nobody answers.
    adapter.on('error', () => undefined);
    const closed = next(ws, 'close');
    adapter.ws.pause();
    const [error] = await next(keepalive, 'dead');
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect((await closed)[0]).toBe(1006);
    expect(listeners(ws)).toEqual(before);
  });

  test('on a plain ws ends with the ws', async () => {
    const { peer: ws } = await meetWs(role);
    const before = listeners(ws);
    const keepalive = new Keepalive(ws, { interval: 20, pongTimeout: 100 });
    const closed = next(ws, 'close');
    ws.close();
    await closed;
    expect(listeners(ws)).toEqual(before);
    keepalive.stop();
    new Keepalive(ws).stop();
    expect(listeners(ws)).toEqual(before);
  });
});

test('a keepalive that a listener of open stops leaves no listener behind', async () => {
  const { port } = await serve({});
  const ws = new WebSocket(`ws://127.0.0.1:${String(port)}`);
  ws.on('open', () => {
    keepalive.stop();
  });
  const before = listeners(ws);
  const keepalive = new Keepalive(ws);
  await next(ws, 'open');
  expect(listeners(ws)).toEqual(before);
  const closed = next(ws, 'close');
  ws.close();
  await closed;
});

describe('behind a proxy with an idle limit', () => {
  const limit = 600;

  test('an idle connection dies without a keepalive', async () => {
    const { port } = await serve({});
    const proxy = await idleProxy(port, limit);
    const adapter = connect(`ws://127.0.0.1:${String(proxy.port)}`);
    stopAfterTest(adapter);
    const recording = record(adapter.resume());
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(proxy.drops()).toBe(1);
  });

  test('an idle connection lives with one', async () => {
    const { port, accepted } = await serve({});
    const proxy = await idleProxy(port, limit);
    const adapter = connect(`ws://127.0.0.1:${String(proxy.port)}`, {
      keepalive: { interval: limit / 4 },
    });
    stopAfterTest(adapter);
    const recording = record(adapter.resume());
    await next(adapter, 'connect');
    await pass(5 * limit);
    expect(proxy.drops()).toBe(0);
    expect(recording.names).toEqual(['connect', 'ready']);
    const arrived = next(await accepted, 'data');
    adapter.write('still here');
    expect(String((await arrived)[0])).toBe('still here');
  });
});
