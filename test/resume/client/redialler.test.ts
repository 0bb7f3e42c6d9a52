import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Redialler } from '../../../src/resume/client/redialler.ts';

/** Longest rest in ms before the second try. */
const REST = 500;

let redialler: Redialler;
let dialled: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  dialled = 0;
  redialler = new Redialler(
    () => {
      dialled++;
      return { stop: () => undefined, setReferenced: () => undefined };
    },
    (error) => {
      throw error;
    },
  );
  redialler.start();
  vi.advanceTimersByTime(1);
  expect(dialled).toBe(1);
});

afterEach(() => {
  redialler.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The try that is under way has failed. */
function fail(): void {
  redialler.done();
  redialler.plan();
}

test('a try that has failed is followed by another after a rest', () => {
  fail();
  vi.advanceTimersByTime(REST - 1);
  expect(dialled).toBe(1);
  vi.advanceTimersByTime(1);
  expect(dialled).toBe(2);
});

test('somebody in a hurry has it dial at once', () => {
  fail();
  redialler.now();
  expect(dialled).toBe(2);
});

test('a try that began before somebody was in a hurry is followed by another at once', () => {
  redialler.now();
  expect(dialled).toBe(1);
  fail();
  vi.advanceTimersByTime(1);
  expect(dialled).toBe(2);
  // Once.
  fail();
  vi.advanceTimersByTime(REST - 1);
  expect(dialled).toBe(2);
});

test('a hurry that a WebSocket has met is over', () => {
  redialler.now();
  redialler.done();
  redialler.pause();
  redialler.start();
  vi.advanceTimersByTime(REST - 1);
  expect(dialled).toBe(1);
});
