import { expect, test } from 'vitest';

import { runLoad } from './load/load.ts';
import { slopeOf } from './load/memory.ts';

test('the least of every kind of load breaks no promise, and the summary has the figures', async () => {
  const { counts, notes = [] } = await runLoad({
    seed: 1,
    seconds: 1,
    onProgress: () => undefined,
  });
  expect(counts).toMatchObject({
    connections: expect.any(Number) as number,
    handshakes: expect.any(Number) as number,
    streams: expect.any(Number) as number,
    messages: expect.any(Number) as number,
  });
  expect(counts['connections']).toBeGreaterThanOrEqual(200);
  expect(counts['bytes']).toBeGreaterThan(32 * 1_048_576);
  expect(notes.join('\n')).toMatch(/KiB per 1,000 connections after the first third/);
}, 90_000);

test('a line through points has the slope of least squares, and says how sure it is', () => {
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toEqual({ slope: 2, error: 0 });
  expect(
    slopeOf([
      [0, 0],
      [1, 3],
      [2, 3],
      [3, 6],
    ]).slope,
  ).toBeCloseTo(1.8);
  expect(
    slopeOf([
      [0, 0],
      [1, 1],
    ]).error,
  ).toBe(Infinity);
});
