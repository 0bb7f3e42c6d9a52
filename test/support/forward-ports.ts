import type { WatchedOptions, WatchedProgram } from './programs/watched-program.ts';
import { wsconn } from './wsconn.ts';

/** Starts `wsconn forward`; returns its ports in the order of its options when it listens on all. */
export async function forwardPorts(
  args: readonly string[],
  options?: WatchedOptions,
): Promise<{ readonly program: WatchedProgram; readonly ports: readonly number[] }> {
  const program = wsconn(['forward', ...args], options);
  const count = args.filter((arg) => arg === '--listen' || arg === '--socks').length;
  await program.prints(new RegExp(`(?:listening on \\S+:\\d+,[^]*){${String(count)}}`));
  const ports = [...program.stderr.matchAll(/listening on \S+:(\d+),/g)].map(([, port]) =>
    Number(port),
  );
  return { program, ports };
}
