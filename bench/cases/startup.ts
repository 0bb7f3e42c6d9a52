import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { createServer, join } from '../../src/index.ts';
import { type BenchCase, LeftOut } from '../parts/case.ts';
import { inTurns } from '../parts/turns.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../wsconn/bin/wsconn.js', import.meta.url));
const METRIC = 'time';
const NODE = 'node -e 0';
const FIRST_BYTE = 'wsconn connect, until the first byte';

const ignore = (): void => {
  // The clients are killed.
};

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  /** Resolves when it has come as far as is measured. */
  readonly ready: (child: ChildProcess) => Promise<unknown>;
}

/** Time in ms from the start of a program until it is ready. */
async function timed({ args, ready }: Program): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await ready(child);
  const time = performance.now() - start;
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return time;
}

/** The start of the command, beside that of Node itself. */
export const startup: BenchCase = {
  name: 'startup',
  title: 'The start of wsconn connect, to a server that forwards to one that speaks first',
  aims: [{ metric: METRIC, contestant: FIRST_BYTE, against: NODE, atMost: 60, of: 'difference' }],
  async run({ quick, rounds, warmUps }) {
    const { status } = spawnSync('npm', ['run', 'build', '--silent'], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) throw new LeftOut('what `npm run build` makes');
    const target = net.createServer((socket) => {
      socket.on('error', ignore);
      socket.end('SSH-2.0-bench\r\n');
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const { port: targetPort } = target.address() as AddressInfo;
    const server = createServer((adapter) => {
      join(adapter, net.connect(targetPort, '127.0.0.1')).catch(ignore);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const args = [
      MAIN,
      'connect',
      `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    ];
    const programs: Program[] = [
      { name: FIRST_BYTE, args, ready: (child) => once(child.stdout ?? child, 'data') },
      {
        name: 'wsconn connect, until the server has it',
        args,
        ready: () => once(server, 'connection'),
      },
      { name: NODE, args: ['-e', '0'], ready: (child) => once(child, 'exit') },
    ];
    const timing = { rounds: quick ? 5 : Math.max(rounds, 41), warmUps: Math.min(warmUps, 2) };
    const samples = await inTurns(programs, timing, async (program) => [
      { metric: METRIC, unit: 'ms', better: 'less', value: await timed(program) },
    ]);
    await server.close();
    target.close();
    return samples;
  },
};
