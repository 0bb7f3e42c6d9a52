/**
 * Real OpenSSH over paths that are cut. What takes minutes is short here; LONG_TESTS=1 has it in
 * full.
 */
import { createHash, randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { bytesOf } from '../../../src/conformance/frame/bytes.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import type { CuttingRelay } from '../../../test/support/links/cutting-relay.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { type Sshd, startSshd } from '../../../test/support/programs/sshd.ts';
import {
  ON_A_TERMINAL,
  run,
  WatchedProgram,
} from '../../../test/support/programs/watched-program.ts';
import { forward, serve, WSCONN } from '../../../test/support/wsconn.ts';
import { startRelay } from './start-relay.ts';

const LONG = process.env['LONG_TESTS'] !== undefined;
const MIB = 1024 * 1024;
const CUTS = 50;

/** Counts without end and prints each number, while cat gives back what is typed. */
const COUNT_AND_ECHO = [
  'stty -echo',
  'echo ready',
  '(i=0; while :; do i=$((i+1)); echo out$i; sleep 0.01; done) & counter=$!',
  'cat',
  'kill $counter; wait $counter',
  'echo done',
  'exit 7',
].join('; ');

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Cuts the path at a random moment, again and again, in handshakes too. */
async function cutAtRandom(relay: CuttingRelay, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const before = relay.accepted;
    await pause(randomInt(150));
    relay.cut();
    await expect
      .poll(() => relay.accepted, { interval: 5, timeout: 20_000 })
      .toBeGreaterThan(before);
  }
}

/** Returns the numbers behind a word, in the order of its lines. */
function numbersOf(word: string, text: string): number[] {
  return [...text.matchAll(new RegExp(`^${word}(\\d+)\\r$`, 'gm'))].map(([, n]) => Number(n));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describeWith('sshd', 'OpenSSH over a path that is cut', (path) => {
  let sshd: Sshd;
  let folder: Awaited<ReturnType<typeof makeFolder>>;

  beforeAll(async () => {
    [sshd, folder] = await Promise.all([startSshd(path), makeFolder()]);
  });
  afterAll(() => Promise.all([sshd.stop(), folder.remove()]));

  async function throughConnect(): Promise<{ relay: CuttingRelay; options: string[] }> {
    const { port } = await serve(sshd.port);
    const relay = await startRelay(port);
    const command = `ProxyCommand=${WSCONN} connect --resume ${relay.url}`;
    return { relay, options: [...sshd.sshOptions, '-o', command] };
  }

  async function throughForward(): Promise<{ relay: CuttingRelay; options: string[] }> {
    const { port: to } = await serve(sshd.port);
    const relay = await startRelay(to);
    const { port } = await forward(relay.url, ['--resume', '--mux']);
    const way = ['HostName=127.0.0.1', `Port=${String(port)}`].flatMap((one) => ['-o', one]);
    return { relay, options: [...sshd.sshOptions, ...way] };
  }

  for (const [name, start] of [
    ['connect --resume', throughConnect],
    ['forward --resume --mux', throughForward],
  ] as const) {
    test(
      `${name}: a session whose path is cut ${String(CUTS)} times lacks and doubles nothing`,
      { timeout: 240_000 },
      async () => {
        const { relay, options } = await start();
        const shell = new WatchedProgram('python3', [
          ...[ON_A_TERMINAL, 'ssh', '-tt', ...options, sshd.destination],
          COUNT_AND_ECHO,
        ]);
        await shell.prints(/ready\r\n/);
        let typed = 0;
        const typing = setInterval(() => {
          shell.write(`key${String(++typed)}\n`);
        }, 20);
        onTestFinished(() => {
          clearInterval(typing);
        });
        await cutAtRandom(relay, CUTS);
        clearInterval(typing);
        await shell.prints(new RegExp(`^key${String(typed)}\\r$`, 'm'));
        // Ctrl-D, the end of cat's input.
        shell.write('\u0004');
        const { code, stdout } = await shell.ended;
        expect(code).toBe(7);
        expect(stdout).toMatch(/^done\r$/m);
        expect(numbersOf('key', stdout)).toEqual(upTo(typed));
        const out = numbersOf('out', stdout);
        expect(out.length).toBeGreaterThan(CUTS);
        expect(out).toEqual(upTo(out.length));
      },
    );
  }

  test(
    'scp brings a file whole whose path is cut again and again',
    { timeout: 600_000 },
    async () => {
      const { relay, options } = await throughConnect();
      const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')];
      await writeFile(from, bytesOf(1, (LONG ? 256 : 32) * MIB));
      const cutting = setInterval(
        () => {
          relay.cut();
        },
        LONG ? 2000 : 300,
      );
      onTestFinished(() => {
        clearInterval(cutting);
      });
      const { code, stderr } = await run('scp', [
        ...['-q', ...options, from],
        `${sshd.destination}:${to}`,
      ]);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/connection is back after/);
      expect(await sha256OfFile(to)).toBe(await sha256OfFile(from));
    },
  );
});
