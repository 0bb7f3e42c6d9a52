/** A URL that names the port of something else: the line says what listens there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { startSshd } from '../../../test/support/programs/sshd.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Expects that each command says the same of a URL, in one line. */
async function says(url: string, line: RegExp): Promise<void> {
  for (const command of ['connect', 'ping', 'doctor']) {
    const { code, stdout, stderr } = await runWsconn([command, url]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd()).not.toContain('\n');
  }
}

describeWith('sshd', 'ws:// to an sshd', (sshd) => {
  test('is told', async () => {
    const { port, stop } = await startSshd(sshd);
    try {
      await says(
        `ws://127.0.0.1:${String(port)}`,
        /that port is an SSH server: give the URL of the wsconn serve beside it, or use ssh alone/,
      );
    } finally {
      await stop();
    }
  });
});

describeWith('openssl', 'ws:// to a TLS port', () => {
  test('that cuts the connection is told', async () => {
    const { cert, key } = await (await makeAuthority(folder.path)).sign('good');
    const { url } = await serve(await target(echo), ['--tls-cert', cert, '--tls-key', key]);
    await says(
      url.replace('wss:', 'ws:'),
      /connection was cut.*; if that port speaks TLS, use wss:\/\/ instead of ws:\/\//,
    );
  });
});

describe('ws:// to a port', () => {
  test.each([
    [
      'that answers with a TLS alert',
      '\u0015\u0003\u0001\u0000\u0002\u0002\u0046',
      /speaks TLS: use wss:\/\//,
    ],
    ['of SMTP', '220 mail.example ESMTP\r\n', /that port does not speak HTTP: check host and port/],
  ])('%s is told', async (_what, greeting, line) => {
    const port = await target((socket) => {
      socket.resume().write(greeting, 'latin1');
      socket.on('end', () => socket.end());
    });
    await says(`ws://127.0.0.1:${String(port)}`, line);
  });
});
