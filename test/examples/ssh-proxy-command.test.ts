import { buffer, text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { type Running, startProgram } from '../support/programs/program.ts';
import { TunnelledSshd } from '../support/programs/tunnelled-sshd.ts';

const MIB = 1024 * 1024;

TunnelledSshd.describe(
  'OpenSSH through the examples ssh-proxy-command and tcp-tunnel',
  (tunnelled) => {
    function ssh(at: string, ...command: string[]): Running {
      const proxy = `'${process.execPath}' --import tsx examples/ssh-proxy-command.ts ${at}`;
      return startProgram('ssh', [
        ...tunnelled.sshd.sshOptions,
        '-o',
        `ProxyCommand=${proxy}`,
        tunnelled.sshd.destination,
        ...command,
      ]);
    }

    test('a command runs, and its output and exit code come back', async ({ onTestFinished }) => {
      const { child, ended, stop } = ssh(tunnelled.url, 'echo "$SSH_CONNECTION"; exit 7');
      onTestFinished(() => stop());
      expect(await text(child.stdout)).toContain('127.0.0.1');
      expect(await ended).toEqual({ code: 7, errors: '' });
    });

    test('32 MiB go through cat and come back whole', async ({ onTestFinished }) => {
      const { child, ended, stop } = ssh(tunnelled.url, 'cat');
      onTestFinished(() => stop());
      const sent = bytesOf(1, 32 * MIB);
      child.stdin.end(sent);
      const received = await buffer(child.stdout);
      expect(sha256(received)).toBe(sha256(sent));
      expect(await ended).toEqual({ code: 0, errors: '' });
    });

    test('a server that is not there is told on standard error', async ({ onTestFinished }) => {
      const { child, ended, stop } = ssh('ws://127.0.0.1:1', 'true');
      onTestFinished(() => stop());
      child.stdout.resume();
      const { code, errors } = await ended;
      expect(code).toBe(255);
      expect(errors).toContain('ECONNREFUSED');
    });
  },
);
