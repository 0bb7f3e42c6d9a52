import net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { connect } from '../../src/index.ts';
import { YamuxSession } from '../../src/yamux/index.ts';
import { next, record } from '../support/events.ts';
import { stopAfterTest } from '../support/pairs/meet.ts';
import { answeringPeer } from '../support/peers/answering-peer.ts';

const INTERVAL = 50;
const LIMIT = 200;

/** Stalls in ms: one that passes the limit by little, one by much. */
const STALLS = [LIMIT + 20, 4 * LIMIT];

/** Keeps the event loop from everything else. */
function stall(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Calls back in the turn after the next call of a method. */
function afterCall<K extends string>(
  target: Record<K, (...args: never[]) => unknown>,
  name: K,
): Promise<void> {
  const method = target[name];
  return new Promise((resolve) => {
    target[name] = (...args) => {
      target[name] = method;
      setImmediate(resolve);
      return method.apply(target, args);
    };
  });
}

test.each(STALLS)(
  'a stall of %i ms of our own event loop, with a ping out, is not the death of the peer',
  async (ms) => {
    const port = await answeringPeer('ws');
    const adapter = connect(`ws://127.0.0.1:${String(port)}`, {
      keepalive: { interval: INTERVAL, pongTimeout: LIMIT },
    });
    stopAfterTest(adapter);
    const recording = record(adapter.resume());
    await next(adapter, 'connect');
    for (let i = 0; i < 3; i++) {
      await afterCall(adapter.ws as unknown as Record<'ping', () => void>, 'ping');
      const pong = next(adapter, 'pong');
      stall(ms);
      await pong;
    }
    expect(recording.names).toEqual(['connect', 'ready']);
  },
);

test.each(STALLS)(
  'a stall of %i ms is not the death of the peer of a yamux session',
  async (ms) => {
    const socket = net.connect(await answeringPeer('yamux'), '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    await next(socket, 'connect');
    const session = new YamuxSession(socket, {
      role: 'client',
      keepalive: { interval: INTERVAL, pongTimeout: LIMIT },
    });
    const errors: Error[] = [];
    session.on('error', (error) => errors.push(error));
    for (let i = 0; i < 3; i++) {
      await afterCall(socket as unknown as Record<'write', () => boolean>, 'write');
      const answer = next(socket, 'data');
      stall(ms);
      await answer;
    }
    expect(errors).toEqual([]);
  },
);
