import { describe, expect, test } from 'vitest';

import { WriteRun } from '../../src/base/write-run.ts';

/** Writes of these sizes, whose bytes are all different from their neighbours. */
function writesOf(sizes: readonly number[]): { readonly chunk: Buffer }[] {
  let next = 0;
  return sizes.map((size) => ({ chunk: Buffer.from(Array.from({ length: size }, () => next++)) }));
}

describe('WriteRun', () => {
  test.each([
    [[10], [3, 3, 4]],
    [[1, 2, 3, 4], [10]],
    [
      [4, 4, 4],
      [4, 1, 3, 2, 2],
    ],
    [
      [0, 5, 0, 5, 0],
      [7, 3],
    ],
  ])('cuts writes of %j bytes into pieces of %j', (sizes, pieces) => {
    const writes = writesOf(sizes);
    const run = new WriteRun();
    run.start(writes);
    const cut = pieces.map((length) => run.cut(length));
    expect(cut.map(({ length }) => length)).toEqual(pieces);
    expect(Buffer.concat(cut)).toEqual(Buffer.concat(writes.map(({ chunk }) => chunk)));
  });

  test('copies nothing that lies in one chunk', () => {
    const [first, second] = writesOf([8, 8]);
    if (!first || !second) throw new Error('no writes');
    const run = new WriteRun();
    run.start([first, second]);
    expect(run.cut(3).buffer).toBe(first.chunk.buffer);
    expect(run.cut(5).buffer).toBe(first.chunk.buffer);
    expect(run.cut(8)).toBe(second.chunk);
  });

  test('gives no bytes that were not written', () => {
    const run = new WriteRun();
    run.start(writesOf([2]));
    expect(() => run.cut(3)).toThrow(RangeError);
    run.clear();
    expect(() => run.next(1)).toThrow(RangeError);
  });
});
