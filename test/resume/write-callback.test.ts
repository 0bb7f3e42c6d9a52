import { expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { turns } from '../support/events.ts';
import { readExactly } from '../support/reading.ts';
import { makePair } from './pair.ts';

const WINDOW = 65_536;

test('the callback of a write comes only when its memory may be reused, also where the window is nearly full', async () => {
  const { near, far } = await makePair({}, { resume: { window: WINDOW } });
  const sent = bytesOf(1, WINDOW + 10_000);
  // Nobody reads yet, so what is behind the window waits for that.
  const border = WINDOW - 5_000;
  await new Promise((resolve) => near.write(sent.subarray(0, border), resolve));
  // Both in one turn, of which the first is the smaller.
  const first = Buffer.from(sent.subarray(border, border + 8_000));
  const second = Buffer.from(sent.subarray(border + 8_000));
  near.write(first, () => first.fill(0));
  const written = new Promise<void>((resolve) => {
    near.write(second, () => {
      second.fill(0);
      resolve();
    });
  });
  await turns(5);
  expect(sha256(await readExactly(far, sent.length))).toBe(sha256(sent));
  await written;
});
