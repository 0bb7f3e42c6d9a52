import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { freePort } from '../../test/support/free-port.ts';
import type { Contestant } from './contestants.ts';
import { WatchedProcess } from './watched-process.ts';

/** Time in ms that a program has to listen. */
const START_LIMIT = 20_000;
const RETRY = 20;

/** A tunnel that runs: two processes, and what lies between them. */
export interface Tunnel {
  /** Where it accepts connections. */
  readonly port: number;
  /** Seconds of CPU time of both ends so far. */
  cpuSeconds(): number;
  /** The most MiB of memory that both ends ever had, summed. */
  peakMiB(): number;
  stop(): Promise<void>;
}

/**
 * Starts both ends of a tunnel.
 * @param between - returns what lies between them: it listens on the first port, and forwards to
 * the second
 */
export async function startTunnel(
  contestant: Contestant,
  target: number,
  between?: (port: number, far: number) => readonly string[],
): Promise<Tunnel> {
  const all: WatchedProcess[] = [];
  const start = async (port: number, [file = '', ...args]: readonly string[]): Promise<void> => {
    const started = new WatchedProcess(file, args);
    all.push(started);
    await listens(started, port, contestant.name);
  };
  const [port, middle, far] = [await freePort(), await freePort(), await freePort()];
  await start(far, contestant.far(far, target));
  const next = between ? middle : far;
  if (between) await start(middle, between(middle, far));
  await start(port, contestant.near(port, next, target));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    port,
    cpuSeconds: () => sum(all.map(({ cpuSeconds }) => cpuSeconds)),
    peakMiB: () => sum(all.map(({ peakMiB }) => peakMiB)),
    async stop() {
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}

async function listens(started: WatchedProcess, port: number, name: string): Promise<void> {
  const begun = performance.now();
  while (!(await accepts(port))) {
    if (!started.running || performance.now() - begun > START_LIMIT)
      throw new Error(`${name} does not listen on its port`);
    await pause(RETRY);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
