import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { startExample } from '../support/programs/program.ts';

test('the example http-agent sends three requests through one WebSocket and ends', async ({
  onTestFinished,
}) => {
  const { child, ended, stop } = startExample('http-agent.ts');
  onTestFinished(() => stop());
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  expect(await ended).toEqual({ code: 0, errors: '' });
  expect(lines).toEqual([
    expect.stringContaining('GET /first'),
    expect.stringContaining('GET /second'),
    expect.stringContaining('GET /third'),
    '3 requests, WebSockets: 1',
  ]);
});
