import os from 'node:os';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { runExample } from '../support/run-example.ts';

test('the example revdial runs a command over SSH on a device that dials back', async () => {
  const example = runExample('revdial.ts', 'uname');
  expect(await text(example.child.stdout)).toContain(os.release());
  expect(await example.ended).toEqual({ code: 0, errors: '' });
});
