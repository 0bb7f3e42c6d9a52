import { expect, test } from 'vitest';

import {
  connectionLimits,
  defaultConnectionLimits,
} from '../../src/server/limits/descriptor-limit.ts';

test.each([
  [20_000, 9_456, 1_024],
  [1_048_576, 523_744, 1_024],
  [1_024, 360, 240],
  [256, 72, 48],
  [64, 1, 1],
  [0, 1, 1],
])('of %i descriptors come %i connections and %i without a request', (soft, most, pending) => {
  const limits = { maxConnections: most, maxPendingConnections: pending };
  expect(connectionLimits(soft)).toEqual(limits);
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max processes             63000                63000                processes
Max open files            ${String(soft).padEnd(20)} 1048576              files
`;
  expect(defaultConnectionLimits(() => text)).toEqual(limits);
  const needed = most * 2 + pending + 64;
  expect(needed <= soft || most === 1).toBe(true);
});

test.each(['', 'Max open files            unlimited            unlimited            files'])(
  'where the system tells nothing, there are 1024',
  (text) => {
    expect(defaultConnectionLimits(() => text)).toEqual({
      maxConnections: 1_024,
      maxPendingConnections: 256,
    });
  },
);

test('this process gets what its own limit allows for', () => {
  expect(defaultConnectionLimits().maxConnections).toBeGreaterThan(1);
});
