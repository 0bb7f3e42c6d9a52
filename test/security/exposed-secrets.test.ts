/** Secrets that others may see are warned of, once. */
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../support/folder.ts';
import { echo, target } from '../support/peers/target.ts';
import { makeAuthority } from '../support/programs/authority.ts';
import { describeWith } from '../support/programs/program.ts';
import { runWsconn, serve } from '../support/wsconn.ts';

const TOKEN = 'open-sesame';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

async function tokenFile(mode: number): Promise<string> {
  const path = join(folder.path, `token-${mode.toString(8)}`);
  await writeFile(path, TOKEN);
  await chmod(path, mode);
  return path;
}

describe('a token file', () => {
  test('that every user may read is warned of once, by server and client', async () => {
    const path = await tokenFile(0o644);
    const { program, url } = await serve(await target(echo), ['--token-file', path]);
    const warning = `warning: every user of this machine may read ${path}, which --token-file names: chmod o-r ${path}\n`;
    const ended = await runWsconn(['connect', '--token-file', path, url], { input: 'x' });
    expect(ended).toEqual({ code: 0, stdout: 'x', stderr: `wsconn connect: ${warning}` });
    await writeFile(path, `${TOKEN}\n`);
    await program.prints(/read .*token-644 again/);
    expect(program.stderr.split(warning).length).toBe(2);
  });

  test.each([0o600, 0o640])('of mode %o is not', async (mode) => {
    const path = await tokenFile(mode);
    const { program, url } = await serve(await target(echo), ['--token-file', path]);
    const ended = await runWsconn(['connect', '--token-file', path, url], { input: 'x' });
    expect(ended).toEqual({ code: 0, stdout: 'x', stderr: '' });
    expect(program.stderr).not.toContain('warning');
  });
});

describeWith('openssl', 'a private key', () => {
  test('that every user may read is warned of, and a certificate is not', async () => {
    const authority = await makeAuthority(folder.path);
    const { cert, key } = await authority.sign('good');
    const open = join(folder.path, 'open.key');
    await copyFile(key, open);
    await chmod(open, 0o644);
    await chmod(cert, 0o644);
    const tls = ['--tls-cert', cert, '--tls-key', open, '--tls-client-ca', authority.ca];
    const { program, url } = await serve(await target(echo), tls);
    expect(program.stderr.match(/warning/g)).toHaveLength(1);
    expect(program.stderr).toMatch(/may read .*open\.key, which --tls-key names: chmod o-r/);
    const client = ['connect', '--ca', authority.ca, '--cert', cert, '--key', open, url];
    const ended = await runWsconn(client, { input: 'x' });
    expect(ended).toMatchObject({ code: 0, stdout: 'x' });
    expect(ended.stderr).toMatch(/^[^\n]*may read .*open\.key, which --key names[^\n]*\n$/);
  });
});

describe.runIf(process.platform === 'linux')('over ws:// to a host that is not loopback', () => {
  /** Connects as the URL says to a server that listens on all addresses. */
  async function connect(
    makeUrl: (port: number) => string,
    env: NodeJS.ProcessEnv,
  ): Promise<string> {
    const { port } = await serve(await target(echo), [], {
      host: '0.0.0.0',
      env: { WSCONN_TOKEN: TOKEN },
    });
    const ended = await runWsconn(['connect'], {
      input: 'x',
      env: { ...env, WSCONN_URL: makeUrl(port) },
    });
    expect(ended).toMatchObject({ code: 0, stdout: 'x' });
    return ended.stderr;
  }

  // Linux takes it for this machine, and it is no address of the loopback.
  const other = (port: number): string => `ws://0.0.0.0:${String(port)}`;

  test('a token is warned of once', async () => {
    expect(await connect(other, { WSCONN_TOKEN: TOKEN })).toMatch(
      /^wsconn connect: warning: the token goes to 0\.0\.0\.0:\d+ without encryption: use wss:\/\/\n$/,
    );
  });

  test('a header that is a secret is warned of once, by its name', async () => {
    const env = { WSCONN_HEADER: `Authorization: Bearer ${TOKEN}` };
    expect(await connect(other, env)).toMatch(
      /^[^\n]*the header Authorization goes to [^\n]* without encryption[^\n]*\n$/,
    );
  });

  test.each(['127.0.0.1', '127.9.9.9', 'localhost', '[::ffff:127.0.0.1]'])(
    'to %s nothing is said',
    async (host) => {
      const url = (port: number): string => `ws://${host}:${String(port)}`;
      expect(await connect(url, { WSCONN_TOKEN: TOKEN })).toBe('');
    },
  );
});
