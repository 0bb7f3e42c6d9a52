/** The parts of the example that decide something: what is sent again, and when a page gives up. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { delayAfter } from '../../examples/web-terminal/page/back-off.ts';
import { Liveness } from '../../examples/web-terminal/page/liveness.ts';
import { settingsFrom } from '../../examples/web-terminal/settings.ts';
import { Outbox } from '../../examples/web-terminal/shared/outbox.ts';

describe('Outbox', () => {
  test('gives again what was not confirmed, from any position', () => {
    const outbox = new Outbox();
    for (const data of ['abc', 'de', 'f']) outbox.push(data);
    outbox.confirm(3);
    expect(outbox.length).toBe(3);
    expect(outbox.from(4)).toEqual(['e', 'f']);
    // A late confirmation changes nothing.
    outbox.confirm(1);
    expect(outbox.from(6)).toEqual([]);
    expect(outbox.length).toBe(0);
  });

  test('refuses what was never sent', () => {
    const outbox = new Outbox();
    outbox.push('abc');
    expect(() => {
      outbox.confirm(4);
    }).toThrow(RangeError);
    expect(() => outbox.from(4)).toThrow(RangeError);
  });
});

test.for([
  [{}, 'no way to log in: set SSH_KEY'],
  [{ SSH_KEY: '' }, 'SSH_KEY is set and empty'],
  [{ SSH_KEY: '/dev/null' }, 'SSH_KEY /dev/null: '],
  [{ SSH_KEY: '/does/not/exist' }, '/does/not/exist'],
  [{ SSH_AUTH_SOCK: '/agent', PORT: '70000' }, 'PORT must be a whole number from 0 to 65535'],
  [{ SSH_AUTH_SOCK: '/agent', SSH_HOST: 'example.org' }, 'SSH_FINGERPRINT is needed'],
  [{ SSH_AUTH_SOCK: '/agent', SSH_HOST: '127.example.org' }, 'SSH_FINGERPRINT is needed'],
  [{ SSH_AUTH_SOCK: '/agent', ORIGIN: 'https://example.org/' }, 'ORIGIN must be as browsers'],
  [{ SSH_AUTH_SOCK: '/agent', TOKEN: '' }, 'TOKEN is set and empty'],
] as const)('the settings %o are refused', ([env, message]) => {
  expect(() => settingsFrom(env)).toThrow(message);
});

test('the token is new at each start', () => {
  const env = { SSH_AUTH_SOCK: '/agent' };
  expect(settingsFrom(env).token).not.toBe(settingsFrom(env).token);
});

test('the wait grows to 10 s, and is spread over half of itself', () => {
  expect([0, 1, 2, 3, 4, 40].map((tries) => delayAfter(tries, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
  ]);
  expect(delayAfter(4, 1)).toBe(5_000);
});

describe('Liveness of a page', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const watch = (): { liveness: Liveness; log: string[] } => {
    const log: string[] = [];
    const liveness = new Liveness(
      () => log.push('ask'),
      () => log.push('dead'),
    );
    liveness.heard();
    return { liveness, log };
  };

  test('asks after a silence, and gives up when no answer comes', () => {
    const { log } = watch();
    vi.advanceTimersByTime(9_999);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(['ask']);
    vi.advanceTimersByTime(5_000);
    expect(log).toEqual(['ask', 'dead']);
  });

  test('takes any message for an answer', () => {
    const { liveness, log } = watch();
    liveness.ask();
    liveness.ask();
    vi.advanceTimersByTime(4_999);
    liveness.heard();
    vi.advanceTimersByTime(9_999);
    expect(log).toEqual(['ask']);
    liveness.stop();
    vi.advanceTimersByTime(60_000);
    expect(log).toEqual(['ask']);
  });

  test('asks again where its own timer was late, as after the sleep of a computer', () => {
    const { liveness, log } = watch();
    liveness.ask();
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 3_600_000);
    vi.advanceTimersByTime(5_000);
    clock.mockRestore();
    expect(log).toEqual(['ask', 'ask']);
  });
});
