import { expect, test } from 'vitest';

import { Incoming } from '../../../src/resume/session/incoming.ts';
import { bytesAt } from '../../stress/pattern.ts';

const CLOSE = { code: 1000, reason: '' };

function makeIncoming(bytes = 0, window = 100): Incoming {
  const incoming = new Incoming(window);
  incoming.onData(bytesAt(0, bytes));
  return incoming;
}

test('bytes that are known are dropped, and what is new behind them is taken', () => {
  const incoming = makeIncoming(10);
  expect(incoming.startAt(4)).toBe(true);
  expect(incoming.onData(bytesAt(4, 3))).toBe('known');
  expect(incoming.onData(bytesAt(7, 3))).toBe('known');
  incoming.startAt(4);
  expect(incoming.onData(bytesAt(4, 8))).toEqual(bytesAt(10, 2));
  expect(incoming.onData(bytesAt(12, 1))).toEqual(bytesAt(12, 1));
  expect(incoming.progress).toEqual({ received: 13, consumed: 0 });
});

test('an empty message is nothing new, wherever it comes', () => {
  const incoming = makeIncoming(3);
  expect(incoming.onData(Buffer.alloc(0))).toBe('known');
  incoming.onFin();
  expect(incoming.onData(Buffer.alloc(0))).toBe('known');
});

test('a start behind what came leaves a gap', () => {
  expect(makeIncoming(10).startAt(10)).toBe(true);
  expect(makeIncoming(10).startAt(11)).toBe(false);
});

test('FIN and END that come again are known, in their places alone', () => {
  const incoming = makeIncoming(2);
  expect(incoming.onFin()).toBe(true);
  expect(incoming.onEnd(CLOSE)).toBe(true);
  incoming.startAt(1);
  expect(incoming.onData(bytesAt(1, 1))).toBe('known');
  expect(incoming.onFin()).toBe('known');
  expect(incoming.onEnd(CLOSE)).toBe('known');
  expect(incoming.progress.received).toBe(4);
  expect({ bytes: incoming.bytes, end: incoming.end }).toEqual({ bytes: 2, end: CLOSE });
});

test.each<[string, (incoming: Incoming) => unknown]>([
  ['bytes', (incoming) => incoming.onData(Buffer.of(1))],
  ['a FIN', (incoming) => incoming.onFin()],
])('%s behind FIN is a violation', (_, more) => {
  const incoming = makeIncoming();
  incoming.onFin();
  expect(more(incoming)).toHaveProperty('violation');
});

test.each<[string, (incoming: Incoming) => unknown]>([
  ['bytes', (incoming) => incoming.onData(Buffer.of(1))],
  ['a FIN', (incoming) => incoming.onFin()],
  ['an END', (incoming) => incoming.onEnd(CLOSE)],
])('%s behind END is a violation', (_, more) => {
  const incoming = makeIncoming();
  incoming.onEnd(CLOSE);
  expect(more(incoming)).toHaveProperty('violation');
});

test('the window counts from what was read', () => {
  const incoming = makeIncoming(100);
  expect(incoming.onData(Buffer.of(1))).toHaveProperty('violation');
  const reader = makeIncoming(100);
  reader.consumedBut(99);
  expect(reader.progress).toEqual({ received: 100, consumed: 1 });
  expect(reader.onData(bytesAt(100, 1))).toEqual(bytesAt(100, 1));
});

test('what was read stays read, and FIN counts when nothing is unread', () => {
  const incoming = makeIncoming(10);
  incoming.consumedBut(3);
  incoming.consumedBut(8);
  expect(incoming.progress.consumed).toBe(7);
  incoming.onFin();
  incoming.consumedBut(1);
  expect(incoming.progress.consumed).toBe(9);
  incoming.consumedBut(0);
  expect(incoming.progress.consumed).toBe(11);
});
