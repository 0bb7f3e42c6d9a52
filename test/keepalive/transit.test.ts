import { expect, test } from 'vitest';

import { Transit } from '../../src/keepalive/transit.ts';

const MIB = 1024 * 1024;

test('what was written arrives at 8 kB/s, one byte after the other', () => {
  const transit = new Transit(1_000);
  transit.onWritten(8_000, 0, 1_000);
  expect(transit.arrivalOf(4_000)).toBe(1_500);
  expect(transit.arrivalOf(8_000)).toBe(2_000);
  expect(transit.arrived(1_250)).toBe(2_000);
  // Later bytes wait for those, and nothing arrives that was not written.
  transit.onWritten(12_000, 0, 1_500);
  expect(transit.arrivalOf(12_000)).toBe(2_500);
  expect(transit.arrived(60_000)).toBe(12_000);
});

test('what is written after a rest takes its time from then on', () => {
  const transit = new Transit(0);
  transit.onWritten(8_000, 0, 0);
  transit.onWritten(16_000, 0, 60_000);
  expect(transit.arrivalOf(16_000)).toBe(61_000);
  expect(transit.arrivalOf(8_000)).toBe(60_000);
});

test('an answer says what has arrived, more or less than was thought', () => {
  const transit = new Transit(0);
  transit.onWritten(80_000, 0, 0);
  transit.onArrived(72_000, 100);
  expect(transit.arrivalOf(80_000)).toBe(1_100);
  transit.onArrived(72_000, 50_000);
  expect(transit.arrivalOf(80_000)).toBe(51_000);
});

test('kernels and hops hold 16 MiB at most, beside our own queue', () => {
  const transit = new Transit(0);
  transit.onWritten(100 * MIB, 0, 0);
  expect(transit.arrivalOf(100 * MIB)).toBe((16 * MIB) / 8);
  transit.onWritten(200 * MIB, 10 * MIB, 0);
  expect(transit.arrivalOf(200 * MIB)).toBe((26 * MIB) / 8);
});
