/**
 * What stands behind the stdout of `connect`: it sees the end of what the target sends, while stdin
 * is still open. The pipes are a shell's, since Node gives its children pairs of sockets in place
 * of them.
 */
import { readFile, readlink } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { createServer } from '../../../src/index.ts';
import { next } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { ON_A_TERMINAL, WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { readAll } from '../../../test/support/reading.ts';
import { serve, WSCONN, WSCONN_MAIN } from '../../../test/support/wsconn.ts';

const ANSWER = bytesOf(1, 300_000);

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Starts serve before a target that answers at once and ends first; gives the URL. */
async function serveAnswer(answer: string | Buffer = ANSWER): Promise<string> {
  return (await serve(await target((socket) => socket.resume().end(answer)))).url;
}

/** Runs a line of the shell; its stdin stays open. */
function shell(line: string): WatchedProgram {
  return new WatchedProgram('bash', ['-c', line]);
}

describe.each([
  { name: 'connect', command: `${WSCONN} connect` },
  { name: 'forward --listen -', command: `${WSCONN} forward --listen -` },
])('wsconn $name', ({ command }) => {
  test("the reader behind a shell's pipe gets all and sees the end of the target, while stdin is open", async () => {
    const line = shell(`${command} ${await serveAnswer()} | (sha256sum; echo seen)`);
    await line.prints(new RegExp(`^${sha256(ANSWER)} .*\nseen\n`));
    expect(line.child.exitCode).toBeNull();
    line.child.stdin.end();
    expect(await line.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('--exit-on-eof ends it with the target, while stdin is open', async () => {
    const line = shell(
      `${command} --exit-on-eof ${await serveAnswer('bye')} | cat; echo "\${PIPESTATUS[0]}"`,
    );
    expect(await line.ended).toEqual({ code: 0, stdout: 'bye0\n', stderr: '' });
  });
});

test("the server's Close ends connect at once, while stdin is open", async () => {
  await using server = createServer((adapter) => void adapter.close());
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  const url = `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const line = shell(`${WSCONN} connect ${url} | cat; echo "\${PIPESTATUS[0]}"`);
  expect(await line.ended).toEqual({ code: 0, stdout: '0\n', stderr: '' });
});

test('a reader that goes away behind the pipe ends connect as SIGPIPE would', async () => {
  const url = await serveAnswer();
  const line = shell(`${WSCONN} connect ${url} | head -c 10 | wc -c; echo "\${PIPESTATUS[0]}"`);
  expect(await line.ended).toEqual({ code: 0, stdout: '10\n141\n', stderr: '' });
});

test.runIf(process.platform === 'linux')(
  'once stdout has ended /dev/null is in its place',
  async () => {
    const line = shell(
      `(echo $BASHPID; exec ${WSCONN} connect ${await serveAnswer('bye ')}) | (cat; echo seen)`,
    );
    const [, pid = ''] = await line.prints(/^(\d+)\nbye seen\n/);
    // The reader may see the end between the two calls that make it so.
    await expect.poll(() => readlink(`/proc/${pid}/fd/1`).catch(() => '')).toBe('/dev/null');
  },
);

describe('stdout may also be', () => {
  test('a file, which gets what is appended to it', async () => {
    const file = join(folder.path, 'file');
    const url = await serveAnswer();
    const line = shell(`echo first > ${file}; ${WSCONN} connect --exit-on-eof ${url} >> ${file}`);
    expect(await line.ended).toMatchObject({ code: 0, stderr: '' });
    expect((await readFile(file)).equals(Buffer.concat([Buffer.from('first\n'), ANSWER]))).toBe(
      true,
    );
  });

  test.each(['> /dev/null', '>&-'])('nothing at all (%s)', async (redirection) => {
    const line = shell(`${WSCONN} connect --exit-on-eof ${await serveAnswer()} ${redirection}`);
    expect(await line.ended).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('one socket with stdin, of which only the writing side ends', async () => {
    const { url, program } = await serve(await target((socket) => socket.resume().end('hello')));
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await next(server, 'listening');
    onTestFinished(() => void server.close());
    const connection = next(server, 'connection');
    const { port } = server.address() as AddressInfo;
    const line = shell(
      `exec 3<>/dev/tcp/127.0.0.1/${String(port)}; ${WSCONN} connect ${url} <&3 >&3 3>&-`,
    );
    const [socket] = (await connection) as [net.Socket];
    expect((await readAll(socket)).toString()).toBe('hello');
    socket.end(ANSWER);
    expect(await line.ended).toMatchObject({ code: 0, stderr: '' });
    expect((await program.prints(/connection 1 ended after .*: (\d+) bytes in/))[1]).toBe('300000');
  });
});

describeWith('python3', 'on a terminal', () => {
  test('stdout shows all, and Ctrl-D ends it', async () => {
    const { url } = await serve(await target(echo));
    const shown = new WatchedProgram('python3', [
      ON_A_TERMINAL,
      process.execPath,
      WSCONN_MAIN,
      'connect',
      url,
    ]);
    shown.write('typed\n');
    await shown.prints(/typed\r\n[^]*typed\r\n/);
    shown.write('\u0004');
    expect(await shown.ended).toMatchObject({ code: 0 });
  });
});
