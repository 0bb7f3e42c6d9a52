/** The library's errors show no secret, also where somebody prints all of their fields. */
import { inspect } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { freePort } from '../support/free-port.ts';
import { target } from '../support/peers/target.ts';

const SECRET = 'hunter2';

function shown(error: unknown): string {
  return inspect(error, { depth: Infinity, showHidden: true });
}

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test.each([
  ['ws//bob:hunter2@host', 'ERR_INVALID_URL'],
  ['ws://bob:hunter2@host:port', 'ERR_INVALID_URL'],
  ['ftp://bob:hunter2@host/', 'ERR_INVALID_ARG_VALUE'],
  ['ws://host/#hunter2', 'ERR_INVALID_ARG_VALUE'],
])('a URL %s that cannot be used is not in its error', (url, code) => {
  const error = errorOf(() => connect(url));
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ code });
  expect(shown(error)).not.toContain(SECRET);
});

test('a handshake without an answer names the host alone', async () => {
  const port = await target((peer) => peer.resume());
  const url = `ws://bob:hunter2@127.0.0.1:${String(port)}/?token=hunter2`;
  const [error] = await next(connect(url, { handshakeTimeout: 50 }), 'error');
  expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  expect(shown(error)).toContain(`127.0.0.1:${String(port)}`);
  expect(shown(error)).not.toContain(SECRET);
});

test('a connection that fails does not tell what it was opened with', async () => {
  const server = createServer({ authenticate: () => false }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  for (const each of [port, await freePort()]) {
    const socket = connect(`ws://bob:hunter2@127.0.0.1:${String(each)}/?token=hunter2`, {
      headers: { 'Proxy-Authorization': 'Basic hunter2', Cookie: 'hunter2' },
    });
    const [error] = await next(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(shown(error)).not.toContain(SECRET);
  }
});
