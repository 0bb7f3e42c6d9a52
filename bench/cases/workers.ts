import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { WebSocket } from 'ws';

import { type BenchCase, LeftOut, type Sample } from '../parts/case.ts';
import { pins } from '../parts/side.ts';

const MAIN = fileURLToPath(new URL('../../wsconn/bin/wsconn.js', import.meta.url));
/** Connections that are opened at once. */
const AT_ONCE = 16;
const METRIC = 'TLS connections opened';

const contestants = [
  { name: '2 workers on two cores', workers: 2, cores: '0,1' },
  { name: '1 worker on one core', workers: 1, cores: '0' },
];

/**
 * Opens WebSockets over TLS to `wsconn serve`. Its key is large, so that the server has most of the
 * work: who opens them, and the target, share the same two cores.
 */
export const workers: BenchCase = {
  name: 'workers',
  title: 'wsconn serve --workers, from one core to two',
  aims: [
    {
      metric: METRIC,
      contestant: '2 workers on two cores',
      against: '1 worker on one core',
      atLeast: 1.4,
    },
  ],
  async run({ quick, rounds, warmUps }) {
    if (!pins) throw new LeftOut('taskset, and two cores');
    const folder = mkdtempSync(path.join(tmpdir(), 'workers-bench-'));
    const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    const request = ['req', '-x509', '-nodes', '-subj', '/CN=localhost', '-newkey', 'rsa:4096'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const target = net.createServer((socket) => socket.on('error', () => undefined).resume());
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const to = String((target.address() as AddressInfo).port);
    const servers = await Promise.all(
      contestants.map(({ workers, cores }) => start(to, workers, cores, cert, key)),
    );
    const values = contestants.map((): number[] => []);
    try {
      for (let round = -warmUps; round < rounds; round++) {
        for (const [index, { url }] of servers.entries()) {
          const rate = await openings(url, quick ? 50 : 400);
          if (round >= 0) values[index]?.push(rate);
        }
      }
    } finally {
      for (const { child } of servers) child.kill('SIGKILL');
      await Promise.all(servers.map(({ child }) => once(child, 'exit')));
      target.close();
      rmSync(folder, { recursive: true });
    }
    return contestants.map(({ name }, index): Sample => ({
      contestant: name,
      metric: METRIC,
      unit: '/s',
      better: 'more',
      values: values[index] ?? [],
    }));
  },
};

async function start(to: string, workers: number, cores: string, cert: string, key: string) {
  const options = ['--workers', String(workers), '--tls-cert', cert, '--tls-key', key];
  const quiet = ['--resume-hold', '0', '--keepalive', '0'];
  const args = [MAIN, 'serve', '--listen', '127.0.0.1:0', '--to', to, ...options, ...quiet];
  const child = spawn('taskset', ['-c', cores, process.execPath, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      const [, found] = /listening on (wss:\S+),/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => {
      reject(new Error('wsconn serve did not start: build first'));
    });
  });
  return { child, url };
}

/** Returns how many connections a second are opened, each after another one has closed. */
async function openings(url: string, count: number): Promise<number> {
  let left = count;
  const since = performance.now();
  const openOneByOne = async (): Promise<void> => {
    while (left-- > 0) {
      const ws = new WebSocket(url, { rejectUnauthorized: false });
      await once(ws, 'open');
      ws.terminate();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openOneByOne));
  return count / ((performance.now() - since) / 1000);
}
