import { describe, expect, test } from 'vitest';

import { schedules } from '../../../src/conformance/frame/schedules.ts';
import { Keepalive } from '../../../src/index.ts';
import { next, record, turns } from '../../support/events.ts';
import { meetAdapter, meetWs, ROLES } from '../../support/pairs/meet.ts';
import { readAll } from '../../support/reading.ts';

const CALLERS = 50;

/** Runs the call fifty times, at fifty moments of the kind. */
async function fiftyTimes(
  schedule: (call: () => void) => void,
  call: () => unknown,
): Promise<void> {
  const calls = Array.from({ length: CALLERS }, () => {
    return new Promise<void>((resolve) => {
      schedule(() => {
        call();
        resolve();
      });
    });
  });
  await Promise.all(calls);
}

describe.each(ROLES)('fifty callers of a %s', (role) => {
  describe.each(Object.entries(schedules))('%s', (_name, schedule) => {
    test('of close() get the same promise and one closing handshake', async () => {
      const { adapter, peer } = await meetAdapter(role);
      const [mine, others] = [record(adapter), record(peer.resume())];
      const promises = new Set<Promise<Error | null>>();
      await fiftyTimes(schedule, () => promises.add(adapter.close()));
      expect(promises.size).toBe(1);
      expect(await adapter.close()).toBeNull();
      await others.closed;
      await turns(3);
      expect(mine.names).toEqual(['finish', 'close']);
      expect(others.names).toEqual(['end', 'finish', 'close']);
    });

    test('of ping() get the same Keepalive', async () => {
      const { adapter } = await meetAdapter(role, { halfClose: true });
      const before = adapter.ws.listenerCount('pong');
      const keepalives = new Set<Keepalive>();
      await fiftyTimes(schedule, () => keepalives.add(adapter.ping()));
      expect(keepalives.size).toBe(1);
      expect(adapter.ws.listenerCount('pong') - before).toBe(1);
    });

    test('of end() end it once', async () => {
      const { adapter, peer } = await meetAdapter(role);
      const [mine, others] = [record(adapter), record(peer)];
      let called = 0;
      await fiftyTimes(schedule, () => adapter.end(() => called++));
      expect((await readAll(peer)).length).toBe(0);
      adapter.resume();
      await Promise.all([mine.closed, others.closed]);
      await turns(3);
      expect(called).toBe(CALLERS);
      expect(mine.count('finish')).toBe(1);
      expect(mine.errors).toEqual([]);
      expect(others.names).toEqual(['end', 'finish', 'close']);
    });

    test('of destroy() destroy it once, with the error of the first', async () => {
      const { adapter } = await meetWs(role);
      const recording = record(adapter);
      const errors: Error[] = [];
      await fiftyTimes(schedule, () => {
        const error = new Error(String(errors.length));
        errors.push(error);
        adapter.destroy(error);
      });
      await recording.closed;
      await turns(3);
      expect(recording.names).toEqual(['error', 'close']);
      expect(recording.errors[0]).toBe(errors[0]);
    });

    test('of resetAndDestroy() and destroySoon() destroy it once', async () => {
      const { adapter } = await meetWs(role);
      const recording = record(adapter);
      await fiftyTimes(schedule, () => {
        adapter.resetAndDestroy();
        adapter.destroySoon();
      });
      await recording.closed;
      await turns(3);
      expect(recording.names).toEqual(['close']);
    });

    test('of everything at once bring one close', async () => {
      const { adapter, peer } = await meetAdapter(role, { keepalive: true });
      const [mine, others] = [record(adapter.resume()), record(peer.resume())];
      const calls = [
        () => adapter.close(),
        () => adapter.end('bytes'),
        () => adapter.ping(),
        () => {
          adapter.destroySoon();
        },
        () => {
          adapter.ping().stop();
        },
        () => adapter.connect(),
        () => adapter.setTimeout(1_000),
        () => adapter.destroy(),
      ];
      let i = 0;
      await fiftyTimes(schedule, () => calls[i++ % calls.length]?.());
      await Promise.all([mine.closed, others.closed]);
      await turns(3);
      expect(mine.count('close')).toBe(1);
      expect(mine.errors.length).toBeLessThanOrEqual(1);
      expect(mine.names.at(-1)).toBe('close');
      expect(others.count('close')).toBe(1);
    });
  });

  test('ping() after close() gives a Keepalive that is stopped', async () => {
    const { adapter, peer } = await meetWs(role);
    let pings = 0;
    peer.on('ping', () => pings++);
    const closing = adapter.close();
    const keepalive = adapter.ping({ interval: 1 });
    expect(adapter.ping()).toBe(keepalive);
    await closing;
    expect(adapter.ping()).toBe(keepalive);
    expect(pings).toBe(0);
    expect(adapter.ws.eventNames()).toEqual([]);
  });

  test('ping() for the first time after the close gives a Keepalive too', async () => {
    const { adapter } = await meetWs(role);
    await adapter.close();
    const keepalive = adapter.ping();
    expect(keepalive).toBeInstanceOf(Keepalive);
    expect(adapter.ping()).toBe(keepalive);
    keepalive.stop();
    expect(adapter.ws.eventNames()).toEqual([]);
  });

  test('an answered ping is told by the adapter too', async () => {
    const { adapter } = await meetWs(role);
    const told = next(adapter, 'pong');
    const keepalive = adapter.ping({ interval: 10 });
    const [rtt] = await told;
    expect(rtt).toBe(keepalive.rtt);
    expect(rtt).toBeGreaterThanOrEqual(0);
  });
});
