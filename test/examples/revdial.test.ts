import os from 'node:os';
import { text } from 'node:stream/consumers';

import { expect, onTestFinished, test } from 'vitest';

import { startExample } from '../support/programs/program.ts';

test('the example revdial runs a command over SSH on a device that dials back', async () => {
  const { child, ended, stop } = startExample('revdial.ts', 'uname');
  onTestFinished(() => stop());
  expect(await text(child.stdout)).toContain(os.release());
  expect(await ended).toEqual({ code: 0, errors: '' });
});
