import { expect, test } from 'vitest';

import { WaitingItems } from '../../src/base/waiting-items.ts';

interface Item {
  readonly name: string;
}

const [one, two, three] = ['one', 'two', 'three'].map((name) => ({ name })) as [Item, Item, Item];

test('items wait in order, but for those that are removed', async () => {
  const items = new WaitingItems<Item>();
  expect([one, two, three].map((item) => items.add(item))).toEqual([false, false, false]);
  items.remove(two);
  expect(items.surplus).toBe(2);
  expect([await items.take(), items.takeNow(), items.takeNow()]).toEqual([one, three, undefined]);
});

test('takers wait in order, and an item goes to the first', async () => {
  const items = new WaitingItems<Item>();
  const taken = [items.take(), items.take()];
  expect(items.surplus).toBe(-2);
  expect([one, two, three].map((item) => items.add(item))).toEqual([true, true, false]);
  expect(await Promise.all(taken)).toEqual([one, two]);
  expect(items.clear()).toEqual([three]);
  expect(items.surplus).toBe(0);
});

test('the end reaches those who wait and those who come later, once what waits is taken', async () => {
  const items = new WaitingItems<Item>();
  const waiting = items.take();
  items.end(null);
  items.end(new Error('too late'));
  expect(await waiting).toBeNull();
  items.add(one);
  expect([await items.take(), await items.take()]).toEqual([one, null]);
});

test('an end with an error rejects', async () => {
  const items = new WaitingItems<Item>();
  const waiting = items.take();
  items.end(new Error('cut'));
  await expect(waiting).rejects.toThrow('cut');
  await expect(items.take()).rejects.toThrow('cut');
});
