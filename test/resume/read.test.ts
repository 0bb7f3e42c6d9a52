import { expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { turns } from '../support/events.ts';
import { makePair } from './pair.ts';

test('read(size) gives more than a window at once', async () => {
  const { near, far } = await makePair({}, { resume: { window: 65_536 } });
  const bytes = bytesOf(1, 300_000);
  const read = new Promise<Buffer>((resolve) => {
    far.on('readable', () => {
      const chunk = far.read(bytes.length) as Buffer | null;
      if (chunk) resolve(chunk);
    });
  });
  near.write(bytes);
  expect(sha256(await read)).toBe(sha256(bytes));
});

test('a reader that stops holds its writer back, when it has got what it asked for', async () => {
  const window = 65_536;
  const { near, far } = await makePair({}, { resume: { window } });
  const bytes = bytesOf(1, 100_000);
  near.write(bytes);
  await new Promise<void>((resolve) => {
    const read = (): void => {
      if (far.read(bytes.length) === null) return;
      far.off('readable', read);
      resolve();
    };
    far.on('readable', read);
  });
  near.write(Buffer.alloc(4 * window));
  const most = far.bytesRead + window;
  await expect.poll(() => far.bytesRead).toBe(most);
  await turns(20);
  expect(far.bytesRead).toBe(most);
});
