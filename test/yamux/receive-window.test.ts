import { describe, expect, test } from 'vitest';

import { ReceiveWindow, WindowBudget } from '../../src/yamux/receive-window.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('a receive window', () => {
  test('is credited when half of it was read, not before', () => {
    const window = new ReceiveWindow(16 * MIB, new WindowBudget(64 * MIB));
    window.arrived(200 * KIB, 0);
    expect(window.isDue(100 * KIB)).toBe(false);
    expect(window.isDue(72 * KIB)).toBe(true);
    expect(window.credit(72 * KIB, undefined, 1)).toBe(128 * KIB);
    expect(window.open).toBe(256 * KIB - 72 * KIB);
  });

  test('doubles while it holds less than four round trips of what flows, up to its limit', () => {
    const window = new ReceiveWindow(4 * MIB, new WindowBudget(64 * MIB));
    const sizes: number[] = [];
    for (let now = 0; now < 800; now += 100) {
      window.arrived(window.open, now);
      window.credit(0, 100, now + 100);
      sizes.push(window.size / KIB);
    }
    expect(sizes).toEqual([512, 1024, 2048, 4096, 4096, 4096, 4096, 4096]);
  });

  test('stays as it is where the rate does not ask for more', () => {
    const window = new ReceiveWindow(16 * MIB, new WindowBudget(64 * MIB));
    for (let now = 0; now < 10_000; now += 1_000) {
      window.arrived(128 * KIB, now);
      window.credit(0, 50, now + 1_000);
    }
    expect(window.size).toBe(256 * KIB);
  });

  test('stays as it is while the round trip is not known', () => {
    const window = new ReceiveWindow(16 * MIB, new WindowBudget(64 * MIB));
    window.arrived(window.open, 0);
    expect(window.credit(0, undefined, 1)).toBe(256 * KIB);
    expect(window.size).toBe(256 * KIB);
  });

  test('grows only within the budget of the session, and gives it back', () => {
    const budget = new WindowBudget(MIB);
    const [first, second] = [new ReceiveWindow(16 * MIB, budget), new ReceiveWindow(16 * MIB, budget)];
    for (const window of [first, second, first, second]) {
      window.arrived(window.open, 0);
      window.credit(0, 100, 1);
    }
    expect([first.size, second.size]).toEqual([512 * KIB, 512 * KIB]);
    second.release();
    first.arrived(first.open, 1);
    first.credit(0, 100, 2);
    expect(first.size).toBe(MIB);
  });

  test('of its first size is announced beyond what the protocol gives', () => {
    const window = new ReceiveWindow(16 * MIB, new WindowBudget(64 * MIB));
    expect(window.widen(MIB)).toBe(768 * KIB);
    expect(window.widen(MIB)).toBe(0);
    expect(window.open).toBe(MIB);
  });
});
