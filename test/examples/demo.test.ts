import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { startExample } from '../support/programs/program.ts';

/** Time in ms that somebody may have to wait at most; the idle times alone are 8 s of it. */
const TIME_LIMIT = 90_000;

test(
  'the demonstration shows what it promises and ends with 0',
  { timeout: TIME_LIMIT },
  async ({ onTestFinished }) => {
    const { child, ended, stop } = startExample('demo.ts');
    onTestFinished(() => stop());
    const output = await text(child.stdout);
    expect(await ended).toEqual({ code: 0, errors: '' });
    const summary = output.slice(output.indexOf('Summary'));
    expect(summary).toContain('an SSH command was answered through the WebSocket');
    expect(summary).toContain('64 MiB came back with the same SHA-256');
    expect(summary).toContain('with keepalive the session lived through 6 idle seconds');
    expect(summary).toMatch(/without keepalive it died after \d+\.\d s, with ECONNRESET/);
    expect(summary).toMatch(
      /with resume 32 MiB came back whole over [1-3] cuts in the middle; the longest pause was \d+ ms/,
    );
    // Piped, it prints whole lines: no colours, no bar.
    for (const control of ['\r', '\u001b']) expect(output).not.toContain(control);
    expect(output.match(/ MiB\/s$/gm)).toHaveLength(4);
  },
);
