import { once } from 'node:events';
import { readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';

import { codeOf, explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import { isInherited, isUnix, type ListenPlace, type Place, showPlace } from '../console/place.ts';

/** A server, and where it listens. */
export interface Listener {
  readonly server: net.Server;
  readonly place: ListenPlace;
  /** Returns what the log says of the address that it listens on. */
  readonly listening: (address: string) => string;
  /**
   * Checks the address that a handed over socket turns out to have, before any connection is
   * accepted; throws where it must not be used.
   */
  readonly checkInherited?: (real: Place) => void;
}

/** Listens, and returns the place, with what the system chose: for port 0, or for every address. */
export async function listen({
  server,
  place,
  checkInherited,
}: Omit<Listener, 'listening'>): Promise<Place> {
  if (isUnix(place)) await removeStale(place.path);
  const listening = once(server, 'listening');
  server.listen(isInherited(place) ? { fd: place.fd } : place);
  if (isInherited(place) && server.listening) {
    // Connections wait already. They are accepted in a later turn of the event loop: not here.
    try {
      checkInherited?.(realPlace(server, place));
    } catch (error) {
      server.close();
      throw error;
    }
  }
  try {
    await listening;
  } catch (error) {
    const hint = isInherited(place) ? ': the .socket unit needs ListenStream= and Accept=no' : '';
    throw new Failure(`cannot listen on ${showPlace(place)}: ${explain(error)}${hint}`, {
      cause: error,
    });
  }
  return realPlace(server, place);
}

function realPlace(server: net.Server, place: ListenPlace): Place {
  const address = server.address();
  if (isUnix(place)) return place;
  if (address !== null && typeof address !== 'string') {
    const host = isInherited(place) || place.host === '' ? address.address : place.host;
    return { host, port: address.port };
  }
  // Node listens on sockets of TCP and on unix sockets, and knows addresses of the former alone.
  if (isInherited(place)) return { path: pathOf(place.fd) };
  throw new Error(`${showPlace(place)} has no address`);
}

/** Returns the path of a unix socket for the log, as far as the system tells it. */
function pathOf(fd: number): string {
  try {
    const [, inode = ''] =
      /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${String(fd)}`)) ?? [];
    const lines = readFileSync('/proc/self/net/unix', 'utf8').split('\n');
    const fields = lines.map((line) => line.split(/ +/)).find((line) => line[6] === inode);
    return fields?.slice(7).join(' ') ?? UNKNOWN;
  } catch {
    return UNKNOWN; // Without /proc, or in another one than the socket.
  }
}

const UNKNOWN = '(path unknown)';

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
