import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { startExample } from '../support/programs/program.ts';

test('the transfer goes on over each cut, and its SHA-256 is the same', async ({
  onTestFinished,
}) => {
  const { child, ended, stop } = startExample('resume.ts');
  onTestFinished(() => stop());
  const output = await text(child.stdout);
  expect(await ended).toEqual({ code: 0, errors: '' });
  const cuts = output.match(
    /^\d+ MiB: the path is gone \(ECONNRESET\); it is back after \d+ ms$/gm,
  );
  expect(cuts?.length).toBeGreaterThan(4);
  const webSockets = String((cuts?.length ?? 0) + 1);
  const summary = `64 MiB there and back over ${webSockets} WebSockets: the SHA-256 is the same\n`;
  expect(output.endsWith(summary)).toBe(true);
});
