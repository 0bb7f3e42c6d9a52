import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { codeOf, explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../console/log.ts';
import { isUnix, type Place, showPlace } from '../console/place.ts';
import { onceAskedToStop } from '../console/signals.ts';

/** A server, and where it listens. */
export interface Listener {
  readonly server: net.Server;
  readonly place: Place;
  /** Returns what the log says of the address that it listens on. */
  readonly listening: (address: string) => string;
}

/** One run of servers, from their start to their end. */
export interface ServerRun {
  readonly listeners: readonly Listener[];
  /** What the log adds when a signal stops it. */
  readonly stopping?: string;
  /** Time in ms for which it listens on after that, and says that it stops to whoever asks. */
  readonly lameDuck?: number;
  /** Is called when a signal has asked to stop. */
  onStopping?(): void;
  /** Ends all connections; returns how many of them it had to cut. */
  stop(): Promise<number>;
  /** Reads files again, at SIGHUP. */
  reload?(): Promise<void>;
}

/**
 * Listens until a signal asks to end, then stops. Returns the exit code.
 * @throws Failure when it cannot listen
 */
export async function runServer(log: Log, run: ServerRun): Promise<number> {
  const asked = new Promise<string>(onceAskedToStop);
  process.on('SIGHUP', () => {
    log.info('SIGHUP: reads its files again');
    void run.reload?.();
  });
  for (const { server, place, listening } of run.listeners) {
    log.info(`listening on ${listening(showPlace(await listen(server, place)))}`);
  }
  const signal = await asked;
  const { lameDuck = 0 } = run;
  run.onStopping?.();
  if (lameDuck > 0) {
    log.info(`${signal}: new connections get 503 for ${String(lameDuck / 1000)} s`);
    await pause(lameDuck);
  }
  log.info(`${signal}: no new connections${run.stopping ?? ''}`);
  const cut = await run.stop();
  if (cut > 0) log.warn(`connections that were still open and were cut: ${String(cut)}`, { cut });
  return 0;
}

/** Listens, and returns the place, with what the system chose: for port 0, or for every address. */
async function listen(server: net.Server, place: Place): Promise<Place> {
  if (isUnix(place)) await removeStale(place.path);
  server.listen(place);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Failure(`cannot listen on ${showPlace(place)}: ${explain(error)}`, {
      cause: error,
    });
  }
  const address = server.address();
  if (isUnix(place) || address === null || typeof address === 'string') return place;
  return { host: place.host === '' ? address.address : place.host, port: address.port };
}

/** Removes a socket that a program has left behind which listens no more. */
async function removeStale(path: string): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isSocket()) return;
  const socket = net.connect({ path });
  const code = await new Promise<string | undefined>((resolve) => {
    socket.once('connect', () => {
      resolve(undefined);
    });
    socket.once('error', (error) => {
      resolve(codeOf(error));
    });
  });
  socket.destroy();
  if (code === 'ECONNREFUSED') rmSync(path);
}
