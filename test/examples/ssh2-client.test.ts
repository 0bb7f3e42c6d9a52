import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { type Running, startExample } from '../support/programs/program.ts';
import { TunnelledSshd } from '../support/programs/tunnelled-sshd.ts';

TunnelledSshd.describe('the example ssh2-client', (tunnelled) => {
  function run(fingerprint: string, command: string): Running {
    const { username, keyFile } = tunnelled.sshd;
    return startExample('ssh2-client.ts', tunnelled.url, username, keyFile, fingerprint, command);
  }

  test('runs a command on a real sshd and ends with its exit code', async ({ onTestFinished }) => {
    const { child, ended, stop } = run(tunnelled.sshd.fingerprint, 'seq 100000 | tail -1; exit 3');
    onTestFinished(() => stop());
    expect(await text(child.stdout)).toBe('100000\n');
    expect(await ended).toEqual({ code: 3, errors: '' });
  });

  test('does not log in to a server with another host key', async ({ onTestFinished }) => {
    const { child, ended, stop } = run('SHA256:another', 'true');
    onTestFinished(() => stop());
    expect(await text(child.stdout)).toBe('');
    const { code, errors } = await ended;
    expect(code).toBe(255);
    expect(errors).toMatch(/host/i);
  });
});
