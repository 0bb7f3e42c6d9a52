import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { WSCONN_MAIN } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Starts `wsconn serve` with its stderr at a descriptor, which it closes here. */
async function serveWithLogAt(stderr: number): Promise<{
  readonly port: number;
  /** Asks it to stop; resolves with its exit code. */
  readonly stop: () => Promise<unknown>;
}> {
  const port = await freePort();
  const to = await target(echo);
  const args = [
    'serve',
    '--listen',
    `127.0.0.1:${String(port)}`,
    '--to',
    `127.0.0.1:${String(to)}`,
  ];
  const child = spawn(process.execPath, [WSCONN_MAIN, ...args, '--path', '/only'], {
    stdio: ['ignore', 'ignore', stderr],
  });
  closeSync(stderr);
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    port,
    stop: async () => {
      child.kill();
      const [code] = (await ended) as [unknown];
      return code;
    },
  };
}

/** Makes a pipe (FIFO). Returns its end to read from, as a socket, and its end to write to. */
async function makePipe(name: string): Promise<{ reader: net.Socket; writer: number }> {
  const path = join(folder.path, name);
  await promisify(execFile)('mkfifo', [path]);
  const end = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const reader = new net.Socket({ fd: end, readable: true, writable: false });
  onTestFinished(() => {
    reader.destroy();
  });
  return { reader, writer };
}

/** Sends something through the tunnel, and expects it back. */
async function expectEcho(port: number): Promise<void> {
  const adapter = connect(`ws://127.0.0.1:${String(port)}/only`);
  adapter.end('through the tunnel');
  let text = '';
  for await (const chunk of adapter) text += String(chunk);
  expect(text).toBe('through the tunnel');
}

/** Asks for a path that there is not, which the server logs. */
async function beRefused(port: number): Promise<void> {
  const path = `/${'x'.repeat(200)}`;
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': 13,
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'X-Forwarded-For': 'y'.repeat(250),
  };
  const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(404);
  await once(response, 'close');
}

test('a log whose reader is gone does not stop a tunnel', async () => {
  const { reader, writer } = await makePipe('gone');
  const { port, stop } = await serveWithLogAt(writer);
  await once(reader, 'data');
  reader.destroy();
  await once(reader, 'close');
  for (let n = 0; n < 3; n++) await expectEcho(port);
  expect(await stop()).toBe(0);
});

test('a log whose reader stops does not hold up a tunnel', async () => {
  const { reader, writer } = await makePipe('stopped');
  const { port, stop } = await serveWithLogAt(writer);
  await once(reader, 'data');
  reader.pause();
  // More than the pipe (64 KiB) and the reader's own buffer (64 KiB) hold.
  for (let n = 0; n < 400; n++) await beRefused(port);
  await expectEcho(port);
  let log = '';
  reader.on('data', (chunk) => (log += String(chunk)));
  const end = once(reader, 'end');
  reader.resume();
  expect(await stop()).toBe(0);
  await end;
  expect(log.match(/refused/g)?.length).toBeGreaterThan(390);
  expect(log).toMatch(/SIGTERM: no new connections/);
});

test('a log that a full disk does not take does not stop a tunnel', async () => {
  const { port, stop } = await serveWithLogAt(openSync('/dev/full', 'w'));
  // It says nowhere that it listens.
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    const [event] = (await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'close').then(() => ['close']),
    ]).catch(() => ['error'])) as [string];
    socket.destroy();
    if (event === 'connect') break;
  }
  await expectEcho(port);
  expect(await stop()).toBe(0);
});
