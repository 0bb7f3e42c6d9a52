import { once } from 'node:events';
import type net from 'node:net';

import { explain } from '../console/explain.ts';
import { EXIT_FAILURE, Failure } from '../console/failure.ts';
import { type HostPort, showHostPort } from '../console/host-port.ts';
import type { Log } from '../console/log.ts';
import { onceAskedToEnd } from '../console/signals.ts';

/** One run of a server, from its start to its end. */
export interface ServerRun {
  /** Where to listen. */
  readonly place: HostPort;
  /** Returns what the log says of the address that it listens on. */
  listening(address: string): string;
  /** What the log adds when a signal stops it. */
  readonly stopping?: string;
  /** Ends all connections; returns how many of them it had to cut. */
  stop(): Promise<number>;
}

/**
 * Listens until a signal asks to end, then stops. Returns the exit code.
 * @throws Failure when it cannot listen
 */
export async function runServer(server: net.Server, log: Log, run: ServerRun): Promise<number> {
  const asked = new Promise<string>(onceAskedToEnd);
  log.info(`listening on ${run.listening(showHostPort(await listen(server, run.place)))}`);
  log.info(`${await asked}: no new connections${run.stopping ?? ''}`);
  const cut = await run.stop();
  if (cut === 0) return 0;
  log.info(`connections that were still open and were cut: ${String(cut)}`);
  return EXIT_FAILURE;
}

/** Listens, and returns the place, with the port that the system chose for port 0. */
async function listen(server: net.Server, place: HostPort): Promise<HostPort> {
  server.listen(place);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Failure(`cannot listen on ${showHostPort(place)}: ${explain(error)}`, {
      cause: error,
    });
  }
  const address = server.address();
  return {
    host: place.host,
    port: address !== null && typeof address === 'object' ? address.port : place.port,
  };
}
