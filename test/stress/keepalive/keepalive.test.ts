import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { type Cell, CELLS, impossible, show } from './cells.ts';
import { runKeepaliveTable } from './keepalive.ts';
import { inWords, promised } from './promise.ts';
import { simulate, TIMING } from './simulate.ts';
import { keepaliveTable } from './table.ts';

const onProgress = (): void => undefined;

test('every combination that can be ends as the design promises, to the millisecond', () => {
  const possible = CELLS.filter((cell) => impossible(cell) === null);
  expect(possible).toHaveLength(228);
  for (const cell of possible) expect(simulate(cell), show(cell)).toEqual(promised(cell, TIMING));
});

test('docs/keepalive-table.md is what a run gives', () => {
  const page = new URL('../../../docs/keepalive-table.md', import.meta.url);
  expect(readFileSync(page, 'utf8')).toBe(keepaliveTable());
});

test('over real sockets it is the same', async () => {
  const idle: Cell = {
    phase: 'open',
    traffic: 'none',
    reading: 'reading',
    queue: 'empty',
    peer: 'answers',
  };
  const measured: Cell[] = [
    idle,
    { ...idle, peer: 'never' },
    { ...idle, peer: 'never', traffic: 'in' },
    { ...idle, peer: 'never', traffic: 'out' },
    { ...idle, peer: 'never', reading: 'paused' },
    { ...idle, peer: 'never', traffic: 'in', queue: 'stuck' },
    { ...idle, peer: 'never', phase: 'half closed', traffic: 'out' },
    { ...idle, peer: 'never', phase: 'half closed' },
    { ...idle, peer: 'never', phase: 'closing' },
    { ...idle, peer: 'never', phase: 'before open' },
  ];
  const { counts } = await runKeepaliveTable({ seed: 1, seconds: 25, onProgress, measured });
  expect(counts).toEqual({ cells: 228, measured: measured.length });
});

test('the words of the table say how long a death has taken', () => {
  const words = (after: number): string => inWords({ is: 'dead', after }, TIMING);
  expect(words(TIMING.pongTimeout)).toBe('dead after 1.0 pongTimeout');
  expect(words(TIMING.pongTimeout * 1.5)).toBe('dead after 1.5 pongTimeout');
  expect(words(TIMING.pongTimeout + 8_192)).toBe('dead after 1.0 pongTimeout + 8.2 s');
});
