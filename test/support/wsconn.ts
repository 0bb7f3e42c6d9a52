import { fileURLToPath } from 'node:url';

import { type Ended, type WatchedOptions, WatchedProgram } from './programs/watched-program.ts';

/** Path of the built command. */
export const WSCONN_MAIN = fileURLToPath(new URL('../../wsconn/bin/wsconn.js', import.meta.url));

/** Variables of the machine that would change what the command does. */
const CLEAN: NodeJS.ProcessEnv = Object.fromEntries(
  ['https_proxy', 'http_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [
    [name, undefined],
    [name.toUpperCase(), undefined],
  ]),
);

/** Command line of `wsconn` for a shell, such as that of ProxyCommand of ssh. */
export const WSCONN = `'${process.execPath}' '${WSCONN_MAIN}'`;

/** Starts the built `wsconn`. Stdin stays open unless there is input. */
export function wsconn(args: readonly string[], options: WatchedOptions = {}): WatchedProgram {
  return new WatchedProgram(process.execPath, [WSCONN_MAIN, ...args], {
    ...options,
    env: { ...CLEAN, ...options.env },
  });
}

/** Runs `wsconn` to its end, with nothing on stdin unless there is input. */
export function runWsconn(args: readonly string[], options: WatchedOptions = {}): Promise<Ended> {
  return wsconn(args, { input: '', ...options }).ended;
}

/** Starts `wsconn serve` on a free port; returns the program and its URL when it listens. */
export async function serve(
  to: number | string,
  args: readonly string[] = [],
  options: WatchedOptions & { readonly host?: string; readonly port?: number } = {},
): Promise<{ readonly program: WatchedProgram; readonly url: string; readonly port: number }> {
  const target = typeof to === 'number' ? `127.0.0.1:${String(to)}` : to;
  const listen = `${options.host ?? '127.0.0.1'}:${String(options.port ?? 0)}`;
  const program = wsconn(['serve', '--listen', listen, '--to', target, ...args], options);
  const [, url = '', port] = await program.prints(/listening on (wss?:\/\/[^\s:]+:(\d+)\S*),/);
  return { program, url, port: Number(port) };
}

/** Starts `wsconn forward` on a free port; returns the program and its port when it listens. */
export async function forward(
  url: string,
  args: readonly string[] = [],
  options?: WatchedOptions,
): Promise<{ readonly program: WatchedProgram; readonly port: number }> {
  const program = wsconn(['forward', '--listen', '127.0.0.1:0', ...args, url], options);
  const [, port] = await program.prints(/listening on [^\s:]+:(\d+)/);
  return { program, port: Number(port) };
}
