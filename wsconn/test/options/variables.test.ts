/** A variable that looks like an option and is none is a mistake that would show nowhere else. */
import { describe, expect, test } from 'vitest';

import { runWsconn } from '../../../test/support/wsconn.ts';

const PING = ['ping', '--count', '1', 'ws://127.0.0.1:1'];

async function warnings(env: NodeJS.ProcessEnv, args = PING): Promise<string[]> {
  const { stderr } = await runWsconn(args, { env });
  return stderr.split('\n').filter((line) => line.includes('warning'));
}

describe('an unknown variable WSCONN_…', () => {
  test.each([
    ['WSCONN_TOKN', 'did you mean WSCONN_TOKEN?'],
    ['WSCONN_TOKENFILE', 'did you mean WSCONN_TOKEN_FILE?'],
    ['WSCONN_ULR', 'did you mean WSCONN_URL?'],
    ['WSCONN_XYZZYX', 'see wsconn --help'],
  ])('%s is one warning: %s', async (variable, hint) => {
    expect(await warnings({ [variable]: 'secret' })).toEqual([
      `wsconn ping: warning: the variable ${variable} is unknown and does nothing: ${hint}`,
    ]);
  });

  test('is warned of before what it should have set is missing', async () => {
    const { code, stderr } = await runWsconn(['connect'], { env: { WSCONN_ULR: 'ws://h' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/did you mean WSCONN_URL\?\n.*URL is missing/);
  });

  test('of another command is none', async () => {
    expect(await warnings({ WSCONN_DRAIN: '5', WSCONN_MUX: 'yes', WSCONN_LISTEN: '' })).toEqual([]);
  });

  test('that Kubernetes sets for a service is none', async () => {
    const env = {
      WSCONN_SERVICE_HOST: '10.0.0.1',
      WSCONN_SERVICE_PORT: '80',
      WSCONN_PORT: 'tcp://10.0.0.1:80',
      WSCONN_PORT_80_TCP_ADDR: '10.0.0.1',
      WSCONN_SSH_SERVICE_PORT_HTTPS: '443',
    };
    expect(await warnings(env)).toEqual([]);
  });
});
