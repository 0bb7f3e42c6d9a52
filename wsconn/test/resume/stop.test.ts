/** How `connect` and `forward` end by a signal while their path is lost, and what the ends are told. */
import { once } from 'node:events';
import net from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import type { CuttingRelay } from '../../../test/support/links/cutting-relay.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import type { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { forward, serve, wsconn } from '../../../test/support/wsconn.ts';
import { startRelay } from './start-relay.ts';

/** Time in ms that close() takes at most. */
const CLOSE_TIMEOUT = 5_000;

/** Cuts the path, and lets nobody through. */
async function lose(relay: CuttingRelay, program: WatchedProgram): Promise<void> {
  relay.unreachable = true;
  relay.cut();
  await program.prints(/connection lost \([^)]+\); reconnecting …\n/);
}

/** Returns when a line was logged, in ms. */
async function timeOf(program: WatchedProgram, line: string): Promise<number> {
  const [, time = ''] = await program.prints(new RegExp(`^(\\S+) wsconn \\w+: ${line}`, 'm'));
  return Date.parse(time);
}

describe('wsconn connect --resume that is asked to end while its path is lost', () => {
  async function start() {
    const { program: server, port } = await serve(await target(echo));
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', relay.url]);
    program.write('x');
    await program.prints(/x/);
    await lose(relay, program);
    return { server, relay, program };
  }

  test('tells the server when the path is back, and the target sees the end', async () => {
    const { server, relay, program } = await start();
    program.write('last');
    program.kill('SIGINT');
    await program.prints(
      /SIGINT: the path is lost; tries for 5 s to end the connection in order\n/,
    );
    relay.unreachable = false;
    const { code, stderr } = await program.ended;
    expect(code).toBe(130);
    expect(stderr).not.toContain('SIGINT came');
    await server.prints(/connection 1 is back/);
    await server.prints(/connection 1 ended after/);
  });

  test('says what was not acknowledged where it does not come back, and a second signal ends it at once', async () => {
    const { program } = await start();
    program.kill();
    expect(await program.ended).toMatchObject({
      code: 143,
      stderr: expect.stringMatching(
        /\nwsconn connect: SIGTERM came while the path was lost: .*close\(\) was not acknowledged within 5000 ms; \d+ written bytes were not acknowledged \(ETIMEDOUT\)\n$/,
      ) as string,
    });
    const { program: impatient } = await start();
    impatient.kill();
    await impatient.prints(/SIGTERM: the path is lost/);
    impatient.kill('SIGINT');
    const { code, stderr } = await impatient.ended;
    expect(code).toBe(130);
    expect(stderr).not.toContain('came while');
  });
});

describe.each([
  { name: 'a WebSocket each', args: [] },
  { name: '--mux', args: ['--mux'] },
])(
  'wsconn forward --resume with $name that is asked to stop while its path is lost',
  ({ args }) => {
    async function start() {
      const { program: server, port: to } = await serve(await target(echo));
      const relay = await startRelay(to);
      const { program, port } = await forward(relay.url, ['--resume', ...args]);
      const socket = net.connect({ port, host: '127.0.0.1' });
      const closed = closeOf(socket);
      socket.on('error', () => undefined);
      onTestFinished(() => {
        socket.destroy();
      });
      socket.write('x');
      await once(socket, 'data');
      await lose(relay, program);
      return { server, relay, program, socket, closed };
    }

    test('tells the server when the path is back', async () => {
      const { server, relay, program, closed } = await start();
      program.kill();
      await program.prints(/SIGTERM: no new connections/);
      relay.unreachable = false;
      await closed;
      expect(await program.ended).toMatchObject({ code: 0 });
      await server.prints(/(connection|multiplexer) 1 is back/);
      await server.prints(/(connection|multiplexer) 1 ended after/);
    });

    test('gives up after the time of one close(), and says how many it has cut', async () => {
      const { program, socket, closed } = await start();
      socket.write('lost');
      program.kill();
      const since = await timeOf(program, 'SIGTERM: no new connections');
      const until = await timeOf(
        program,
        'warning: connections that were still open and were cut: 1',
      );
      // It was two and three of them.
      expect(until - since).toBeLessThan(2 * CLOSE_TIMEOUT);
      await closed;
      expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
      expect(await program.ended).toMatchObject({ code: 0 });
    });
  },
);
