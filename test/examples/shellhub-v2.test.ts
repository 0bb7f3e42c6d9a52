import os from 'node:os';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { startExample } from '../support/programs/program.ts';

test('a device is reached by SSH and HTTP, and again after the path was cut', async ({
  onTestFinished,
}) => {
  const { child, ended, stop } = startExample('shellhub-v2.ts');
  onTestFinished(() => stop());
  const output = await text(child.stdout);
  expect(await ended).toEqual({ code: 0, errors: '' });
  const [uname, ...others] = output.split('\n');
  expect(uname).toContain(`ssh, uname: ${os.type()} ${os.release()}`);
  expect(others).toEqual([
    'http, GET /status: the device is well',
    'http, another port: the device refused: "the device does not share that address"',
    'the path was cut: the SSH session failed (ECONNRESET), and the device connected anew',
    'ssh, cat: 8 MiB there and back, the SHA-256 is the same',
    'ssh, closed by the server: the session has ended, in order',
    '',
  ]);
});
