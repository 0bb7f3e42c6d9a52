import { once } from 'node:events';
import type net from 'node:net';

import { explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import { type HostPort, showHostPort } from '../console/host-port.ts';

/**
 * Listens, and gives the place, with the port that the system chose for port 0.
 * @throws Failure with a line for the user
 */
export async function listen(server: net.Server, place: HostPort): Promise<HostPort> {
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
