import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { onTestFinished } from 'vitest';

import { freePort } from '../free-port.ts';
import { startSshd } from '../programs/sshd.ts';
import { WatchedProgram } from '../programs/watched-program.ts';

/** Starts a real SOCKS 5 proxy on loopback, which ends with the test; returns its port. */
export async function startMicrosocks(
  microsocks: string,
  args: readonly string[] = [],
): Promise<number> {
  const port = await freePort();
  const program = new WatchedProgram(microsocks, ['-i', '127.0.0.1', '-p', String(port), ...args]);
  // It does not print when it listens.
  while (!(await answers(port))) {
    if (program.child.exitCode !== null)
      throw new Error(`microsocks did not start: ${program.stderr}`);
    await pause(10);
  }
  return port;
}

/** Starts `ssh -D`, a SOCKS 5 proxy, and the sshd behind it; returns its port. */
export async function startSshSocks(sshd: string): Promise<number> {
  const server = await startSshd(sshd);
  onTestFinished(server.stop);
  const port = await freePort();
  const where = ['-o', 'HostName=127.0.0.1', '-p', String(server.port), server.destination];
  const program = new WatchedProgram('ssh', [
    ...server.sshOptions,
    '-o',
    'ExitOnForwardFailure=yes',
    '-v',
    '-N',
    '-D',
    `127.0.0.1:${String(port)}`,
    ...where,
  ]);
  await program.prints(/Entering interactive session/);
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
