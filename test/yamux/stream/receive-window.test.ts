import { describe, expect, test } from 'vitest';

import { ReceiveWindow, WindowBudget } from '../../../src/yamux/stream/receive-window.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('a receive window', () => {
  test('is credited when half of it was read, not before', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    window.arrived(200 * KIB, 0);
    expect(window.isDue(100 * KIB)).toBe(false);
    expect(window.isDue(72 * KIB)).toBe(true);
    expect(window.credit(72 * KIB, undefined, 1)).toBe(128 * KIB);
    expect(window.open).toBe(256 * KIB - 72 * KIB);
  });

  test('grows fourfold while half of it comes in a round trip, up to its limit', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    const sizes: number[] = [];
    for (let now = 0; now < 500; now += 100) {
      window.arrived(window.size / 2, now);
      window.credit(0, 100, now + 100);
      sizes.push(window.size / KIB);
    }
    expect(sizes).toEqual([1024, 4096, 16_384, 16_384, 16_384]);
  });

  test('grows to eight round trips of what flows, not further', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    for (let now = 0; now < 1_000; now += 100) {
      window.arrived(128 * KIB, now);
      window.credit(0, 50, now + 100);
    }
    expect(window.size).toBe(512 * KIB);
  });

  test('does not grow more than fourfold at once, however fast the first bytes came', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    window.arrived(128 * KIB, 0);
    window.credit(0, 100, 0);
    expect(window.size).toBe(MIB);
  });

  test('stays as it is where the rate does not ask for more', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    for (let now = 0; now < 10_000; now += 1_000) {
      window.arrived(128 * KIB, now);
      window.credit(0, 50, now + 1_000);
    }
    expect(window.size).toBe(256 * KIB);
  });

  test('stays as it is while the round trip is not known', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    window.arrived(window.open, 0);
    expect(window.credit(0, undefined, 1)).toBe(256 * KIB);
    expect(window.size).toBe(256 * KIB);
  });

  test('grows by at most half of what the session has left, and gives back what it had', () => {
    const budget = new WindowBudget(MIB);
    const [first, second] = [
      new ReceiveWindow(() => 16 * MIB, budget),
      new ReceiveWindow(() => 16 * MIB, budget),
    ];
    const grow = (window: ReceiveWindow): number => {
      window.arrived(window.open, 0);
      window.credit(0, 100, 1);
      return window.size / KIB;
    };
    expect([first, second, first, second].map(grow)).toEqual([512, 384, 576, 416]);
    for (let i = 0; i < 50; i++) grow(first);
    expect(first.size + second.size).toBeLessThanOrEqual(MIB);
    second.release();
    for (let i = 0; i < 50; i++) grow(first);
    expect(first.size).toBeGreaterThan(MIB - 2);
    expect(first.size).toBeLessThanOrEqual(MIB);
  });

  test('of its first size is announced beyond what the protocol gives', () => {
    const window = new ReceiveWindow(() => 16 * MIB, new WindowBudget(64 * MIB));
    expect(window.widen(MIB)).toBe(768 * KIB);
    expect(window.widen(MIB)).toBe(0);
    expect(window.open).toBe(MIB);
  });
});
