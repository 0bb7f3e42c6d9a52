import { expect, test } from 'vitest';

import { checkOptions } from '../../../src/yamux/session/options.ts';

test.each([
  [undefined, { interval: 30_000, pongTimeout: 10_000 }],
  [true, { interval: 30_000, pongTimeout: 10_000 }],
  [{}, { interval: 30_000, pongTimeout: 10_000 }],
  [{ interval: 100 }, { interval: 100, pongTimeout: 10_000 }],
  [{ pongTimeout: 20 }, { interval: 30_000, pongTimeout: 20 }],
  [false, undefined],
])('the option keepalive %o is taken for %o', (keepalive, expected) => {
  const settings = checkOptions({ role: 'client', keepalive });
  expect(settings.keepalive).toEqual(expected);
  expect(settings.pingTimeout).toBe(expected?.pongTimeout ?? 10_000);
});
