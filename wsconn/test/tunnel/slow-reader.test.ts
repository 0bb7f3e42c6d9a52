/**
 * Both sides have ended, and one of them reads no more for longer than any time limit of a closing:
 * it still gets all.
 */
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { closeOf, next } from '../../../test/support/events.ts';
import { target } from '../../../test/support/peers/target.ts';
import { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { readAll } from '../../../test/support/reading.ts';
import { forward, serve, WSCONN } from '../../../test/support/wsconn.ts';

/** More than the kernels hold on one leg of the way, and less than on both. */
const ANSWER = bytesOf(1, 5_500_000);
/** Time in s: longer than `closeTimeout`. */
const PAUSE = 6;

/** Starts a target that answers when the client has ended, and ends with it. */
function answering(): Promise<number> {
  return target((socket) => {
    socket.resume().on('end', () => socket.end(ANSWER));
  });
}

test("connect gives all of the answer to a slow reader behind a shell's pipe", async () => {
  const { url } = await serve(await answering(), ['--keepalive', '1']);
  const line = `printf x | ${WSCONN} connect --keepalive 1 ${url} | (sleep ${String(PAUSE)}; sha256sum)`;
  const { code, stdout, stderr } = await new WatchedProgram('bash', ['-c', line]).ended;
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: `${sha256(ANSWER)}  -\n`,
    stderr: '',
  });
});

test('serve that is asked to stop lets a slow reader finish', async () => {
  const { program, url } = await serve(await answering(), ['--drain', '60']);
  const line = `printf x | ${WSCONN} connect ${url} | (head -c 1; sleep ${String(PAUSE)}; cat) | sha256sum`;
  const reader = new WatchedProgram('bash', ['-c', line]);
  await program.prints(/connection 1 .*opened/);
  program.kill();
  expect(await reader.ended).toMatchObject({ stdout: `${sha256(ANSWER)}  -\n`, stderr: '' });
  expect(await program.ended).toMatchObject({ code: 0 });
});

test('forward gives all of the answer to a slow reader, with a WebSocket each and with --mux', async () => {
  const { url } = await serve(await answering(), ['--keepalive', '1']);
  const answers = [[], ['--mux']].map(async (args) => {
    const { port } = await forward(url, ['--keepalive', '1', ...args]);
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    const closed = closeOf(socket);
    await next(socket, 'connect');
    socket.end('x');
    await pause(PAUSE * 1000);
    expect(sha256(await readAll(socket))).toBe(sha256(ANSWER));
    await closed;
  });
  await Promise.all(answers);
});
