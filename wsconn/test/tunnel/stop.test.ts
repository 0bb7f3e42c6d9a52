/** What becomes of bytes that are on their way when `connect` or `forward` is asked to stop. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { closeOf, next } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { startLink } from '../../../test/support/links/start-link.ts';
import { target } from '../../../test/support/peers/target.ts';
import { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { readAll } from '../../../test/support/reading.ts';
import { forward, serve, wsconn, WSCONN } from '../../../test/support/wsconn.ts';

const MIB = 1024 * 1024;

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/**
 * Starts a target, serve before it and a link before that; `arrived` is what comes to the target
 * until its orderly end.
 */
async function start(): Promise<{
  readonly link: Awaited<ReturnType<typeof startLink>>;
  readonly url: string;
  readonly arrived: Promise<Buffer>;
}> {
  const first = new EventEmitter();
  const arrived = next(first, 'connection').then(([socket]) => readAll(socket as net.Socket));
  // Whoever does not look at it is told by the rest of the test.
  arrived.catch(() => undefined);
  const { port } = await serve(
    await target((socket) => {
      socket.write('welcome');
      first.emit('connection', socket);
    }),
  );
  const link = await startLink(port);
  return { link, url: `ws://127.0.0.1:${String(link.port)}`, arrived };
}

/** A named pipe, of which it is known how much was taken out of it. */
class NamedPipe {
  readonly path: string;
  readonly #fd: number;
  #written = 0;

  constructor(path: string) {
    execFileSync('mkfifo', [path]);
    this.path = path;
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => {
      closeSync(this.#fd);
    });
  }

  /**
   * Writes until whoever reads takes no more for a while, because what is behind it is full; gives
   * how much it was.
   */
  async fill(bytes: Buffer): Promise<number> {
    for (let full = 0; full < 20; full++) {
      while (this.#writeSome(bytes)) full = 0;
      await pause(20);
    }
    return this.#written;
  }

  /** Counts what nobody has taken, and takes it. */
  drain(): number {
    const buffer = Buffer.alloc(MIB);
    let left = 0;
    for (let read = 1; read > 0; left += read) {
      try {
        read = readSync(this.#fd, buffer);
      } catch {
        read = 0; // EAGAIN: it is empty.
      }
    }
    return left;
  }

  #writeSome(bytes: Buffer): boolean {
    try {
      this.#written += writeSync(this.#fd, bytes, this.#written, 65_536);
      return true;
    } catch {
      return false; // EAGAIN: it is full.
    }
  }
}

async function startConnect(url: string): Promise<{ program: WatchedProgram; pipe: NamedPipe }> {
  const pipe = new NamedPipe(join(folder.path, `stdin-${randomUUID()}`));
  const program = new WatchedProgram('bash', [
    '-c',
    `exec ${WSCONN} connect ${url} < ${pipe.path}`,
  ]);
  await program.prints(/welcome/);
  return { program, pipe };
}

function dial(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  // When the test is over the program may be killed first.
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

describe('wsconn connect that is asked to stop', () => {
  test('delivers what it had taken from stdin, to the byte, and the target sees an orderly end', async () => {
    const { link, url, arrived } = await start();
    const { program, pipe } = await startConnect(url);
    link.stall('up');
    const bytes = bytesOf(1, 64 * MIB);
    const written = await pipe.fill(bytes);
    program.kill('SIGINT');
    link.flow('up');
    expect(await program.ended).toMatchObject({ code: 130, stderr: '' });
    const taken = written - pipe.drain();
    expect(sha256(await arrived)).toBe(sha256(bytes.subarray(0, taken)));
  });

  test('says so when it could not, and the target is reset', { timeout: 60_000 }, async () => {
    const { link, url, arrived } = await start();
    const { program, pipe } = await startConnect(url);
    link.stall('up');
    await pipe.fill(bytesOf(1, 64 * MIB));
    program.kill();
    expect(await program.ended).toMatchObject({
      code: 143,
      stderr: 'wsconn connect: SIGTERM came before all input from stdin was delivered\n',
    });
    link.flow('up');
    await expect(arrived).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('before the server has answered ends at once', async () => {
    const connections = new EventEmitter();
    const accepted = next(connections, 'connection');
    const port = await target(() => connections.emit('connection'));
    const program = wsconn(['connect', `ws://127.0.0.1:${String(port)}`]);
    await accepted;
    program.kill();
    expect(await program.ended).toMatchObject({ code: 143, stderr: '' });
  });
});

describe.each([
  { name: 'a WebSocket each', args: [] },
  { name: '--mux', args: ['--mux'] },
])('wsconn forward with $name that is asked to stop', ({ args }) => {
  test('delivers what it had taken, ends the target in order and resets the local program', async () => {
    const { link, url, arrived } = await start();
    const { program, port } = await forward(url, ['--verbose', ...args]);
    const socket = dial(port);
    const closed = closeOf(socket);
    await next(socket, 'data');
    link.stall('up');
    // Less than what a multiplexer lets be on its way, and a stream holds.
    const bytes = bytesOf(1, 100_000);
    await new Promise((resolve) => socket.write(bytes, resolve));
    // What came before another connection has been taken when that one has.
    for (const name of ['connection 2', 'connection 3']) {
      dial(port);
      await program.prints(new RegExp(`${name} from \\S+ opened`));
    }
    program.kill();
    await program.prints(/no new connections/);
    link.flow('up');
    expect(sha256(await arrived)).toBe(sha256(bytes));
    await closed;
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
    expect(await program.ended).toMatchObject({ code: 0 });
  });
});
