import { setTimeout as sleep } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { startIdleLimitProxy } from '../../examples/demo/idle-limit-proxy.ts';
import { next } from '../support/events.ts';
import { openInChromium } from '../support/programs/chromium.ts';
import { describeWith, printed, type Running, startExample } from '../support/programs/program.ts';

const IDLE_LIMIT = 2_000;
/** Time in ms in which an idle connection behind the limit would have died three times. */
const SILENCE = 6_000;
/** Time in ms that a browser may take to start on a busy machine, and the silence. */
const TIME_LIMIT = 90_000;

/** Starts the example behind a proxy with an idle limit, and gives the port of that. */
async function startBehindProxy(): Promise<{ heartbeat: Running; port: number }> {
  const heartbeat = startExample('heartbeat.ts', '0');
  onTestFinished(() => heartbeat.stop());
  const [, target] = await printed(heartbeat, /http:.*:(\d+)/);
  const proxy = await startIdleLimitProxy(Number(target), IDLE_LIMIT);
  onTestFinished(proxy.close);
  return { heartbeat, port: proxy.port };
}

test('a WebSocket that answers pings, as browsers do, outlives the idle limit', async () => {
  const { heartbeat, port } = await startBehindProxy();
  const browser = new WebSocket(`ws://127.0.0.1:${String(port)}`);
  onTestFinished(() => {
    browser.terminate();
  });
  await printed(heartbeat, /page 1: connected/);
  await sleep(SILENCE);
  heartbeat.child.stdin.write('still there?\n');
  const [data] = (await next(browser, 'message')) as [Buffer];
  expect(JSON.parse(data.toString())).toEqual({ line: 'still there?' });
  const gone = printed(heartbeat, /page 1: closed with code 1000/);
  browser.close(1000);
  await gone;
});

describeWith('chromium', 'the example heartbeat in a real browser', (chromium) => {
  test(
    'shows a line after a silence three times the idle limit',
    { timeout: TIME_LIMIT },
    async () => {
      const { heartbeat, port } = await startBehindProxy();
      openInChromium(chromium, `http://127.0.0.1:${String(port)}/`);
      await printed(heartbeat, /page 1: connected/);
      await printed(heartbeat, /page 1: pong/);
      await sleep(SILENCE);
      const shown = printed(heartbeat, /page 1: \{"shown":"still there\?"\}/);
      heartbeat.child.stdin.write('still there?\n');
      await shown;
    },
  );
});
