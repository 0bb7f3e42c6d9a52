import type { Registry } from 'prom-client';

import { ConnectionFigures } from '../admin/connection-figures.ts';
import { RefusalFigures } from '../admin/refusal-figures.ts';
import { makeRegistry } from '../admin/registry.ts';
import { ResumeFigures } from '../admin/resume-figures.ts';
import { countRoundTrips } from '../admin/round-trips.ts';
import type { Targets } from '../target/targets.ts';
import type { Tunnel } from './server/tunnel.ts';
import type { TunnelServer } from './server/tunnel-server.ts';

/** Counts what a server does. */
export function countServer(server: TunnelServer, targets: () => Targets): Registry {
  const registry = makeRegistry();
  const connections = new ConnectionFigures(registry, () => targets().names);
  const resumes = new ResumeFigures(registry);
  const refusals = new RefusalFigures(registry);
  server.on('opened', (tunnel) => {
    connections.opened(tunnel, flowOf(tunnel));
  });
  server.on('closed', (tunnel, failed) => {
    connections.closed(tunnel, failed);
    resumes.closed(tunnel);
  });
  server.on('disconnected', (tunnel) => {
    resumes.lost(tunnel);
  });
  server.on('reconnected', (tunnel) => {
    resumes.back(tunnel);
  });
  server.on('refused', (status) => {
    refusals.handshake(status);
  });
  server.on('streamRefused', () => {
    refusals.stream();
  });
  server.on('roundTrip', countRoundTrips(registry));
  return registry;
}

function flowOf(tunnel: Tunnel): Parameters<ConnectionFigures['opened']>[1] {
  const { kind, stream } = tunnel;
  // The streams of a multiplexer name targets and are counted by themselves.
  if (kind === 'multiplexer') return { kind, target: () => tunnel.target ?? null };
  return {
    kind,
    target: () => tunnel.target ?? (kind === 'probe' ? null : undefined),
    bytes: () => ({ received: stream.bytesRead, sent: stream.bytesWritten }),
  };
}
