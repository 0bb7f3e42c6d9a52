import { expect, test, vi } from 'vitest';

import { Offers } from '../../../src/resume/server/offers.ts';

function cutOffer(offers: Offers, identity?: string): Buffer {
  const offer = offers.make(identity);
  offers.open(offer, () => undefined);
  offers.cut(offer);
  return offer.id;
}

test('what was not offered, or was settled, is unknown', () => {
  const offers = new Offers({ maxSessions: 10, holdTime: 1000 });
  const made = offers.make('ann');
  expect(offers.claim(made.id, 'ann')).toBeNull();
  const revoke = vi.fn();
  offers.open(made, revoke);
  offers.settle(made);
  offers.cut(made);
  expect(offers.claim(made.id, 'ann')).toBeNull();
  expect(revoke).not.toHaveBeenCalled();
});

test('a claim revokes what has a WebSocket, for its own client alone', () => {
  const offers = new Offers({ maxSessions: 10, holdTime: 1000 });
  const offer = offers.make('ann');
  const revoke = vi.fn(() => {
    offers.cut(offer);
  });
  offers.open(offer, revoke);
  expect(offers.claim(offer.id, 'bob')).toBe('foreign');
  expect(offers.claim(offer.id, undefined)).toBe('foreign');
  expect(revoke).not.toHaveBeenCalled();
  expect(offers.claim(offer.id, 'ann')).toBe('unbegun');
  expect(revoke).toHaveBeenCalledOnce();
  expect(offers.claim(offer.id, 'ann')).toBe('unbegun');
  expect(revoke).toHaveBeenCalledOnce();
});

test('of those that were cut the last maxSessions are remembered, for holdTime', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const offers = new Offers({ maxSessions: 3, holdTime: 1000 });
    const ids = Array.from({ length: 5 }, () => cutOffer(offers));
    const told = (): unknown[] => ids.map((id) => offers.claim(id, undefined));
    expect(told()).toEqual([null, null, 'unbegun', 'unbegun', 'unbegun']);
    vi.advanceTimersByTime(1001);
    expect(told()).toEqual([null, null, null, null, null]);
  } finally {
    vi.useRealTimers();
  }
});
