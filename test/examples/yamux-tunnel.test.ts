import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { startExample } from '../support/programs/program.ts';

test('50 TCP connections end by themselves over one WebSocket, and leave nothing', async ({
  onTestFinished,
}) => {
  const { child, ended, stop } = startExample('yamux-tunnel.ts');
  onTestFinished(() => stop());
  const output = await text(child.stdout);
  expect(await ended).toEqual({ code: 0, errors: '' });
  expect(output).toBe('50 connections over 1 WebSocket: 49 answered, 1 reset, 0 still open\n');
});
