import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { onTestFinished } from 'vitest';

import { type Running, startProgram } from './program.ts';

/** Opens a page in a headless browser with a profile of its own, and ends it after the test. */
export function openInChromium(chromium: string, url: string, ...options: string[]): Running {
  const profile = mkdtempSync(path.join(os.tmpdir(), 'chromium-'));
  const args = [
    '--headless=new',
    '--no-sandbox', // Chromium's own cannot be had by root, nor in most containers.
    '--disable-gpu',
    '--remote-debugging-port=0', // Else a headless browser ends as soon as the page is there.
    `--user-data-dir=${profile}`,
    ...options,
    url,
  ];
  const browser = startProgram(chromium, args, { env: { ...process.env, TMPDIR: profile } });
  onTestFinished(async () => {
    await browser.stop();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser;
}
