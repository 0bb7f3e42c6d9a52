import type { Command } from './options/command.ts';
import { usageFailure } from './console/failure.ts';
import { nearest } from './console/nearest.ts';
import { connect } from './tunnel/connect.ts';

/**
 * The subcommands. OpenSSH starts `wsconn connect` for every session, and somebody waits for it: it
 * is at hand, and each other one is loaded only when it is used.
 */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve/serve.ts')).serve,
  connect: () => Promise.resolve(connect),
  forward: async () => (await import('./forward/forward.ts')).forward,
  ping: async () => (await import('./ping/ping.ts')).ping,
  doctor: async () => (await import('./doctor/doctor.ts')).doctor,
  token: async () => (await import('./token/token.ts')).token,
  check: async () => (await import('./config/check.ts')).makeCheck(loadCommands),
  completion: async () => (await import('./completion/completion.ts')).makeCompletion(loadCommands),
};

/** Loads a subcommand; throws where there is none of that name. */
export async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load) return load();
  const names = Object.keys(loaders);
  const meant = nearest(name, names);
  const hint = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`;
  throw usageFailure(`there is no command '${name}': ${hint}`);
}

/** Loads all subcommands, for the help. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}
