import { readFileSync } from 'node:fs';

import { loadCommand, loadCommands } from './commands.ts';
import type { Command } from './console/command.ts';
import { explain } from './console/explain.ts';
import { EXIT_FAILURE, EXIT_USAGE, Failure } from './console/failure.ts';
import { isYes, PREFIX, variableOf } from './console/options.ts';
import { Log, print } from './console/output.ts';

/** Does what the command line says and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const { generalHelp } = await import('./console/help.ts');
    const help = generalHelp(await loadCommands());
    if (name !== undefined) return show(help);
    process.stderr.write(help);
    return EXIT_USAGE;
  }
  if (name === '--version') return show(version());
  const command = await loadCommand(name);
  if (rest.some((arg) => arg === '--help' || arg === '-h')) {
    const { commandHelp } = await import('./console/help.ts');
    return show(commandHelp(command));
  }
  await warnOfVariables(command);
  return command.run(rest);
}

/** Warns of variables that look like options and are none, such as a misspelt WSCONN_TOKEN. */
async function warnOfVariables(command: Command): Promise<void> {
  const { env } = process;
  if (!Object.keys(env).some((name) => name.startsWith(PREFIX))) return;
  const { unknownVariables, warningOf } = await import('./console/unknown-variables.ts');
  if (unknownVariables(env, [command]).length === 0) return;
  // One environment may serve several commands.
  const commands = await loadCommands();
  const log = new Log(command.name, { verbose: false, timed: command.timed ?? false });
  for (const name of unknownVariables(env, commands)) log.info(warningOf(name, commands));
}

/** Returns the version of this package. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** Prints what was asked for. */
async function show(text: string): Promise<number> {
  await print(text.trimEnd());
  return 0;
}

/** Prints what went wrong as one line, and returns its exit code. */
function report(error: unknown, args: readonly string[]): number {
  const name = args[0]?.startsWith('-') ? undefined : args[0];
  const log = new Log(name, {
    verbose: args.includes('--verbose') || isYes(process.env[variableOf('verbose')]),
  });
  log.info(error instanceof Failure ? error.message : explain(error));
  log.stack(error);
  return error instanceof Failure ? error.exitCode : EXIT_FAILURE;
}

const args = process.argv.slice(2);
// What is still open, such as a terminal that could be read, must not keep the process alive.
process.exit(await main(args).catch((error: unknown) => report(error, args)));
