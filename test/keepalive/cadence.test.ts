import { expect, test, vi } from 'vitest';

import { Keepalive } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { meetWs } from '../support/pairs/meet.ts';

const INTERVAL = 1_000;

test('an idle connection gets a ping in every interval, because the ping before it is no traffic', async ({
  onTestFinished,
}) => {
  const { adapter, peer: ws } = await meetWs('server');
  let pings = 0;
  adapter.ws.on('ping', () => pings++);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const keepalive = new Keepalive(ws, { interval: INTERVAL });

  for (const expected of [1, 2, 3]) {
    const pong = next(keepalive, 'pong');
    vi.advanceTimersByTime(INTERVAL);
    // What comes after a ping shows whether there was one.
    const marker = next(adapter, 'data');
    ws.send(Buffer.from('marker'));
    await marker;
    expect(pings).toBe(expected);
    await pong;
  }
  keepalive.stop();
});
