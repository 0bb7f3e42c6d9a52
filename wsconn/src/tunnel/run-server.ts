import { setTimeout as pause } from 'node:timers/promises';

import type { Log } from '../log/log.ts';
import { showPlace } from '../console/place.ts';
import { onceAskedToStop } from '../console/signals.ts';
import { listen, type Listener } from './listen.ts';

export type { Listener } from './listen.ts';

/** What shows from outside how a run does: it starts before all else and ends after it. */
export interface Observer extends Omit<Listener, 'listening'> {
  /** Is called when all listen. */
  ready(): void;
  /** Is called when a signal has asked to stop. */
  stopping(): void;
  /** Ends it. */
  close(): Promise<void>;
}

/** One run of servers, from their start to their end. */
export interface ServerRun {
  readonly listeners: readonly Listener[];
  readonly observer?: Observer | undefined;
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
  const manager = await serviceManager(log);
  const { observer } = run;
  let ready = false;
  process.on('SIGHUP', () => {
    log.info('SIGHUP: reads its files again');
    const done = run.reload?.() ?? Promise.resolve();
    if (ready) void manager?.reloading(done);
  });
  if (observer) log.info(`health and figures on ${showPlace(await listen(observer))}`);
  const addresses: string[] = [];
  for (const listener of run.listeners) {
    const address = listener.listening(showPlace(await listen(listener)));
    addresses.push(address);
    log.info(`listening on ${address}`);
  }
  ready = true;
  observer?.ready();
  manager?.ready(`listening on ${addresses.join('; ')}`);
  const signal = await asked;
  // A reload may have changed it.
  const { lameDuck = 0 } = run;
  observer?.stopping();
  manager?.stopping(`${signal}: lets open connections finish`);
  run.onStopping?.();
  if (lameDuck > 0) {
    log.info(`${signal}: new connections get 503 for ${String(lameDuck / 1000)} s`);
    await pause(lameDuck);
  }
  log.info(`${signal}: no new connections${run.stopping ?? ''}`);
  const cut = await run.stop();
  if (cut > 0) log.warn(`connections that were still open and were cut: ${String(cut)}`, { cut });
  await observer?.close();
  await manager?.end();
  return 0;
}

/** Returns the service manager that wants to know how this process does, if there is one. */
async function serviceManager(log: Log) {
  if (!process.env['NOTIFY_SOCKET']) return undefined;
  const { ServiceManager } = await import('./service-manager.ts');
  return new ServiceManager(log, process.env, process.pid);
}
