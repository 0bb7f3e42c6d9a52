import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { describeWith, printed, type Running, startExample } from '../support/program.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

describeWith('sshd', 'the example ssh2-client', (sshdPath) => {
  let sshd: Sshd;
  let tunnel: Running;
  let url: string;

  beforeAll(async () => {
    sshd = await startSshd(sshdPath);
    tunnel = startExample('tcp-tunnel.ts', 'server', '0', `127.0.0.1:${String(sshd.port)}`);
    url = (await printed(tunnel, /ws:\S+/))[0];
  });
  afterAll(async () => {
    await tunnel.stop();
    await sshd.stop();
  });

  function run(fingerprint: string, command: string): Running {
    return startExample('ssh2-client.ts', url, sshd.username, sshd.keyFile, fingerprint, command);
  }

  test('runs a command on a real sshd and ends with its exit code', async ({ onTestFinished }) => {
    const { child, ended, stop } = run(sshd.fingerprint, 'seq 100000 | tail -1; exit 3');
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
