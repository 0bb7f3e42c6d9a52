import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { LimitedLog } from '../../src/admit/limited-log.ts';
import { Log } from '../../src/log/log.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('logs thirty lines a minute, then says how many it left out, and begins anew', () => {
  const lines: string[] = [];
  const log = new Log({ format: ({ text }) => text });
  vi.spyOn(log, 'info').mockImplementation((text) => void lines.push(text));
  const limited = new LimitedLog(log, 'refusals');
  for (let i = 0; i < 1000; i++) limited.info(`line ${String(i)}`, {});
  expect(lines).toHaveLength(31);
  expect(lines.slice(-2)).toEqual(['line 29', 'refusals: further ones are counted for 60 s']);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(31)).toEqual(['refusals: 970 more were left out here']);
  limited.info('another', {});
  expect(lines.at(-1)).toBe('another');
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(33);
});
