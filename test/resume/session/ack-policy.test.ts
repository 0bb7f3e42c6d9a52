import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { AckPolicy } from '../../../src/resume/session/ack-policy.ts';

const upTo = (received: number, consumed = 0) => ({ received, consumed });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function makePolicy() {
  const due = vi.fn();
  const look = vi.fn();
  return { policy: new AckPolicy(65_536, due, look), due };
}

test('the peer is told of little after 50 ms, once', () => {
  const { policy, due } = makePolicy();
  policy.onProgress(upTo(1));
  vi.advanceTimersByTime(30);
  policy.onProgress(upTo(2));
  vi.advanceTimersByTime(19);
  expect(due).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(due).toHaveBeenCalledTimes(1);
  policy.told(upTo(2));
  vi.advanceTimersByTime(1_000);
  expect(due).toHaveBeenCalledTimes(1);
});

test.each([
  ['came', upTo(65_536)],
  ['were read', upTo(0, 65_536)],
])('after 64 KiB that %s it is told in this turn of the event loop', (_, progress) => {
  const { policy, due } = makePolicy();
  policy.onProgress(progress);
  expect(due).not.toHaveBeenCalled();
  vi.advanceTimersByTime(0);
  expect(due).toHaveBeenCalledTimes(1);
});

test('what the peer was told of with data is no news', () => {
  const { policy, due } = makePolicy();
  policy.onProgress(upTo(10));
  policy.told(upTo(10));
  expect(policy.isNews(upTo(10))).toBe(false);
  expect(policy.isNews(upTo(10, 1))).toBe(true);
  policy.onProgress(upTo(10));
  vi.advanceTimersByTime(1_000);
  expect(due).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('without a way to the peer nothing is due', () => {
  const { policy, due } = makePolicy();
  policy.onProgress(upTo(10));
  policy.soon();
  policy.stop();
  vi.advanceTimersByTime(1_000);
  expect(due).not.toHaveBeenCalled();
});
