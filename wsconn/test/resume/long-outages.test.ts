/**
 * What interrupts a connection for long: a client that is stopped, a server that cannot be reached,
 * a proxy that is reloaded or restarted. LONG_TESTS=1 has the times in full.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import type { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import {
  haproxy,
  type ProxyKind,
  startProxy,
} from '../../../test/support/proxies/nginx-haproxy.ts';
import { serve, wsconn } from '../../../test/support/wsconn.ts';
import { startRelay } from './start-relay.ts';

const LONG = process.env['LONG_TESTS'] !== undefined;

async function startConnect(url: string, args: readonly string[] = []): Promise<WatchedProgram> {
  const program = wsconn(['connect', '--resume', ...args, url]);
  program.write('before ');
  await program.prints(/before /);
  return program;
}

async function endsWhole(program: WatchedProgram): Promise<void> {
  program.write('and after');
  await program.prints(/and after/);
  program.child.stdin.end();
  expect(await program.ended).toMatchObject({ code: 0, stdout: 'before and after' });
}

test('a client that was stopped goes on', { timeout: 180_000 }, async () => {
  const { program: server, port } = await serve(await target(echo), ['--keepalive', '0.5']);
  const relay = await startRelay(port);
  const program = await startConnect(relay.url);
  program.kill('SIGSTOP');
  program.write('and after');
  await server.prints(/connection 1 lost its path \(no answer to pings\); held for its client/);
  if (LONG) await pause(60_000);
  program.kill('SIGCONT');
  await program.prints(/before and after/);
  program.child.stdin.end();
  expect(await program.ended).toMatchObject({ code: 0, stdout: 'before and after' });
  await server.prints(/connection 1 is back after/);
});

test('a server that cannot be reached for long is found again', { timeout: 90_000 }, async () => {
  const { port } = await serve(await target(echo));
  const relay = await startRelay(port);
  const program = await startConnect(relay.url);
  relay.unreachable = true;
  relay.cut();
  await program.prints(/connection lost/);
  if (LONG) await pause(30_000);
  else await expect.poll(() => relay.accepted, { timeout: 20_000 }).toBeGreaterThan(3);
  relay.unreachable = false;
  await program.prints(/connection is back after/);
  await endsWhole(program);
});

test('a client that comes back too late is told so', async () => {
  // Why it is held no longer is known for as long again.
  const { program: server, port } = await serve(await target(echo), ['--resume-hold', '0.3']);
  const relay = await startRelay(port);
  const program = await startConnect(relay.url);
  relay.unreachable = true;
  relay.cut();
  await server.prints(/connection 1 failed \(.*did not come back within 300 ms.*\) after/);
  relay.unreachable = false;
  expect(await program.ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /: the client did not come back within 300 ms\n$|the server does not know the connection/,
    ) as string,
  });
});

/** Age in ms at which the path ends each connection. */
const AGE = LONG ? 5_000 : 1_500;

test.each([
  { name: 'without --resume-rotate', args: [], rotates: false },
  {
    name: 'with --resume-rotate',
    args: ['--resume-rotate', String((AGE * 0.6) / 1000)],
    rotates: true,
  },
])(
  'an echo goes on over a path that ends every connection, $name',
  { timeout: 180_000 },
  async ({ name, args, rotates }) => {
    const { port } = await serve(await target(echo));
    const relay = await startRelay(port);
    relay.endAfter = AGE;
    const program = wsconn(['connect', '--resume', ...args, relay.url]);
    let [longest, sent, got, last] = [0, '', 0, performance.now()];
    program.child.stdout.on('data', (chunk: Buffer) => {
      got += chunk.length;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    });
    for (let line = 0; relay.accepted < (LONG ? 8 : 4); line++) {
      const text = `${String(line)}\n`;
      program.write(text);
      sent += text;
      while (got < sent.length) await once(program.child.stdout, 'data');
      // The first answer comes when the program has started.
      if (line === 0) longest = 0;
    }
    program.child.stdin.end();
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stdout).toBe(sent);
    if (rotates) expect(stderr).toBe('');
    else expect(stderr).toMatch(/connection lost/);
    if (LONG) {
      // eslint-disable-next-line no-console -- the figure is what it is asked for
      console.log(`${name}: the longest pause was ${longest.toFixed(0)} ms`);
    }
  },
);

/** Old connections end soon after a reload. */
const impatient: ProxyKind = {
  ...haproxy,
  configuration: (...args) => `global\n  hard-stop-after 300ms\n${haproxy.configuration(...args)}`,
};

describeWith(haproxy.program, 'behind a real HAProxy', (path) => {
  test.each(['reload', 'restart', 'crash'] as const)(
    'a session lives through a %s of it',
    async (how) => {
      const { port } = await serve(await target(echo));
      const proxy = await startProxy(impatient, path, port, 60);
      onTestFinished(() => proxy.stop());
      const program = await startConnect(`ws://127.0.0.1:${String(proxy.port)}`);
      await proxy[how]();
      await program.prints(/connection lost/);
      await program.prints(/connection is back after/);
      await endsWhole(program);
    },
  );
});
