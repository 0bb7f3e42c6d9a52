import { once } from 'node:events';
import { copyFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { connect } from '../../src/index.ts';
import { closeOf } from '../../test/support/events.ts';
import { makeFolder } from '../../test/support/folder.ts';
import { echo, target } from '../../test/support/peers/target.ts';
import { makeAuthority } from '../../test/support/programs/authority.ts';
import { describeWith } from '../../test/support/programs/program.ts';
import { peakMemory } from '../../test/support/programs/resident-memory.ts';
import { runWsconn, serve, wsconn } from '../../test/support/wsconn.ts';

const MIB = 1024 * 1024;

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('SIGTERM', () => {
  test('takes no new connections and lets the open ones finish', async () => {
    const { program, url } = await serve(await target(echo), ['--drain', '60']);
    const session = wsconn(['connect', url]);
    session.write('before ');
    await session.prints(/before /);
    program.kill();
    await program.prints(/no new connections/);
    expect(await runWsconn(['connect', url])).toMatchObject({ code: 1 });
    session.write('and after');
    await session.prints(/before and after/);
    session.child.stdin.end();
    expect(await session.ended).toMatchObject({ code: 0 });
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test('ends what is not done in time, and tells the client why', async () => {
    const { program, url } = await serve(await target(echo), ['--drain', '0.1']);
    const session = wsconn(['connect', url]);
    session.write('x');
    await session.prints(/x/);
    program.kill();
    expect(await session.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\(1012\): the server is shutting down/) as string,
    });
    expect(await program.ended).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/were cut: 1\n/) as string,
    });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends connect in order',
    async (signal) => {
      const { program, url } = await serve(await target(echo));
      const session = wsconn(['connect', url]);
      session.write('x');
      await session.prints(/x/);
      session.kill(signal);
      const code = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
      expect(await session.ended).toMatchObject({ code, stderr: '' });
      await program.prints(/connection 1 ended after/);
    },
  );
});

test('--max-connections refuses one more with 503, until another has ended', async () => {
  const { program, url } = await serve(await target(echo), ['--max-connections', '1']);
  const first = wsconn(['connect', url]);
  first.write('x');
  await first.prints(/x/);
  expect(await runWsconn(['connect', url])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/full or shutting down \(503\)/) as string,
  });
  first.child.stdin.end();
  await program.prints(/connection 1 ended/);
  expect(await runWsconn(['connect', url], { input: 'y' })).toMatchObject({ code: 0, stdout: 'y' });
});

test('a half close goes through on stdin and stdout', async () => {
  const to = await target((socket) => {
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('end', () => socket.end(`${String(Buffer.concat(parts).length)} bytes`));
  });
  const { url } = await serve(to);
  const ended = await runWsconn(['connect', url], { input: 'x'.repeat(100_000) });
  expect(ended).toEqual({ code: 0, stdout: '100000 bytes', stderr: '' });
});

test('an end of the target closes stdout while stdin is still open', async () => {
  const { url } = await serve(await target((socket) => socket.end('bye')));
  const session = wsconn(['connect', url]);
  await once(session.child.stdout, 'end');
  expect(session.stdout).toBe('bye');
  expect(session.child.exitCode).toBeNull();
  session.child.stdin.end();
  expect(await session.ended).toMatchObject({ code: 0 });
});

test('a new token counts once its file has changed, and an unusable one does not', async () => {
  const path = join(folder.path, 'token');
  await writeFile(path, 'first');
  const { program, url } = await serve(await target(echo), ['--token-file', path]);
  const tryWith = async (token: string): Promise<number | null> =>
    (await runWsconn(['connect', url], { env: { WSCONN_TOKEN: token } })).code;
  await writeFile(path, '');
  await program.prints(/is empty; what was read before stays in use/);
  expect(await tryWith('first')).toBe(0);
  await writeFile(path, 'second');
  await program.prints(/read .*token again/);
  expect(await tryWith('first')).toBe(1);
  expect(await tryWith('second')).toBe(0);
});

describeWith('openssl', 'TLS', () => {
  test('a new certificate counts once both of its files have changed', async () => {
    const authority = await makeAuthority(folder.path);
    const [first, second] = [await authority.sign('first'), await authority.sign('second')];
    const [cert, key] = [join(folder.path, 'live.pem'), join(folder.path, 'live.key')];
    await copyFile(first.cert, cert);
    await copyFile(first.key, key);
    const { program, port } = await serve(await target(echo), [
      '--tls-cert',
      cert,
      '--tls-key',
      key,
    ]);
    const nameNow = async (): Promise<unknown> => {
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      await closeOf(socket);
      return subject.CN;
    };
    expect(await nameNow()).toBe('first');
    await copyFile(second.cert, cert);
    await program.prints(/cannot be used: .*; what was read before stays in use/);
    expect(await nameNow()).toBe('first');
    await copyFile(second.key, key);
    await program.prints(/read .*live\.pem and .*live\.key again/);
    expect(await nameNow()).toBe('second');
  });
});

test(
  '1000 half-open handshakes time out, and others are served meanwhile',
  { timeout: 120_000 },
  async () => {
    const { port, url } = await serve(await target(echo));
    const sockets = Array.from({ length: 1000 }, () => net.connect({ port, host: '127.0.0.1' }));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const closed = Promise.all(
      sockets.map((socket, index) => {
        // Every other one has not said a word.
        if (index % 2 === 0) socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
        socket.resume();
        return closeOf(socket);
      }),
    );
    const served = await runWsconn(['connect', url], { input: 'served' });
    expect(served).toMatchObject({ code: 0, stdout: 'served' });
    await closed;
  },
);

/** Waits until a count has stood still for so long that it will hardly move again. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  for (let still = 0; still < 15;) {
    await pause(100);
    still = count() === last ? still + 1 : 0;
    last = count();
  }
  return last;
}

describe.runIf(process.platform === 'linux')('the memory of serve stays bounded', () => {
  const CONNECTIONS = 8;
  const MOST = 96 * MIB;
  const FLOOD = Buffer.alloc(64 * MIB);

  test('when clients do not read', { timeout: 120_000 }, async () => {
    const sockets: net.Socket[] = [];
    const to = await target((socket) => {
      sockets.push(socket);
      socket.write(FLOOD);
    });
    const { program, url } = await serve(to);
    const before = peakMemory(program.child.pid ?? 0);
    const clients = Array.from({ length: CONNECTIONS }, () => connect(url));
    onTestFinished(async () => {
      for (const client of clients) client.destroy();
      await Promise.all(clients.map(closeOf));
    });
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const taken = await settled(() =>
      sockets.reduce((sum, each) => sum + each.bytesWritten - each.writableLength, 0),
    );
    const grown = peakMemory(program.child.pid ?? 0) - before;
    process.stderr.write(`slow clients: serve grew by ${(grown / MIB).toFixed(1)} MiB\n`);
    expect(taken).toBeLessThan(CONNECTIONS * FLOOD.length);
    expect(grown).toBeLessThan(MOST);
  });

  test('when the target does not read', { timeout: 120_000 }, async () => {
    const { program, url } = await serve(await target((socket) => socket.pause()));
    const before = peakMemory(program.child.pid ?? 0);
    const clients = Array.from({ length: CONNECTIONS }, () => connect(url));
    onTestFinished(async () => {
      for (const client of clients) client.destroy();
      await Promise.all(clients.map(closeOf));
    });
    for (const client of clients) client.write(FLOOD);
    await settled(() => clients.reduce((sum, { ws }) => sum + ws.bufferedAmount, 0));
    const grown = peakMemory(program.child.pid ?? 0) - before;
    process.stderr.write(`slow target: serve grew by ${(grown / MIB).toFixed(1)} MiB\n`);
    expect(grown).toBeLessThan(MOST);
  });
});
