import { expect, test } from 'vitest';

import { runCuts } from './cuts.ts';
import { placesOf, randomCut, SHORT_EXCHANGES } from './places.ts';

test('whoever is cut off by FIN or RST, anywhere, knows it, over every kind of connection', async () => {
  const onProgress = (): void => undefined;
  const { counts } = await runCuts({ seed: 1, seconds: 20, cuts: 256, onProgress });
  // A transfer may be over before the byte at which it was to be cut.
  expect(counts['cuts']).toBeGreaterThan(100);
});

test('each byte of both directions is a place, for FIN and for RST', () => {
  const [exchange] = SHORT_EXCHANGES;
  const places = exchange ? placesOf(exchange, { up: 3, down: 2 }) : [];
  expect(places.map(({ at, direction, how }) => [direction, at, how])).toEqual([
    ['up', 1, 'fin'],
    ['up', 1, 'rst'],
    ['up', 2, 'fin'],
    ['up', 2, 'rst'],
    ['up', 3, 'fin'],
    ['up', 3, 'rst'],
    ['down', 1, 'fin'],
    ['down', 1, 'rst'],
    ['down', 2, 'fin'],
    ['down', 2, 'rst'],
  ]);
});

test('a seed gives the same cut of a transfer again', () => {
  expect(randomCut(7)).toEqual(randomCut(7));
  expect(randomCut(7)).not.toEqual(randomCut(8));
});
