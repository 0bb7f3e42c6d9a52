import type { Contestant } from './contestant.ts';
import { bare, joined, piped } from './duplex-stream.ts';
import { rawWs } from './raw-ws.ts';
import { adapter, resumable, tcp, webSocketStream } from './transports.ts';

export const bareAdapter = bare(adapter, joined);

/** Ours first. */
export const transports: readonly Contestant[] = [
  bareAdapter,
  rawWs,
  bare(webSocketStream, piped),
  bare(tcp, piped),
];

/** What it costs that a connection may outlive its WebSocket. */
export const resumed: readonly Contestant[] = [bare(resumable, joined), bareAdapter];

/** Finds one by its name. Muxers are loaded only where one is meant: the others start sooner. */
export async function contestant(name: string | undefined): Promise<Contestant> {
  const find = (all: readonly Contestant[]): Contestant | undefined =>
    all.find((one) => one.name === name);
  const found = find([...transports, ...resumed]) ?? find((await import('./muxers.ts')).muxers);
  if (!found) throw new Error(`no contestant is called ${String(name)}`);
  return found;
}
