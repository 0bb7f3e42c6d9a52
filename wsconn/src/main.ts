import { loadCommand, loadCommands } from './commands.ts';
import { explain } from './console/explain.ts';
import { EXIT_FAILURE, EXIT_USAGE, Failure, Failures, usageFailure } from './console/failure.ts';
import type { Log } from './log/log.ts';
import { logProcess } from './log/log-process.ts';
import { nearest } from './console/nearest.ts';
import { print } from './console/print.ts';
import { showGiven } from './console/secrets.ts';
import type { Command, ReadConfig } from './options/command.ts';
import { openEarlyLog } from './options/open-log.ts';
import { PREFIX } from './options/options.ts';

const HELP = ['help', '--help', '-h'];
const VERSION = ['--version', '-V'];

/** Does what the command line says and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  let log = await openEarlyLog({ name: name?.startsWith('-') ? undefined : name }, args);
  logProcess(() => log);
  try {
    if (name === undefined || HELP.includes(name)) return await help(name, rest);
    if (VERSION.includes(name)) return await showVersion();
    if (name.startsWith('-')) throw misplaced(name);
    const command = await loadCommand(name);
    const asks = (names: readonly string[]): boolean => rest.some((arg) => names.includes(arg));
    if (asks(HELP.slice(1))) return await helpOf(command);
    if (asks(VERSION)) return await showVersion();
    await warnOfVariables(command, args);
    const prepared = await command.prepare(rest, readConfig);
    log = prepared.failures;
    return await prepared.run();
  } catch (error) {
    return report(error, log);
  } finally {
    await log.flushed();
  }
}

/** Prints the help of a command, or the general one: to stdout if it was asked for. */
async function help(name: string | undefined, rest: readonly string[]): Promise<number> {
  const [about, more] = name === 'help' ? rest : [];
  if (more !== undefined) throw usageFailure(`${showGiven(more)} is one argument too many`);
  if (about !== undefined && !HELP.includes(about)) return helpOf(await loadCommand(about));
  const { generalHelp } = await import('./options/help.ts');
  const text = generalHelp(await loadCommands());
  if (name !== undefined) return show(text);
  process.stderr.write(text);
  return EXIT_USAGE;
}

/** Prints the help of a command. */
async function helpOf(command: Command): Promise<number> {
  const { commandHelp } = await import('./options/help.ts');
  return show(commandHelp(command));
}

/** Returns the failure of an option where the command stands. */
function misplaced(name: string): Failure {
  const meant = nearest(
    name,
    [...HELP, ...VERSION].filter((one) => one.startsWith('--')),
  );
  const hint = meant === undefined ? 'options come after the command' : `did you mean ${meant}?`;
  return usageFailure(`there is no option ${showGiven(name)} before a command: ${hint}`);
}

/** Reads a configuration file; what that needs is loaded only where there is one. */
const readConfig: ReadConfig = async (path, name) => {
  const config = await import('./config/read-config.ts');
  return config.readConfig(path, name, await loadCommands());
};

/** Warns of variables that look like options and are none, such as a misspelt WSCONN_TOKEN. */
async function warnOfVariables(command: Command, args: readonly string[]): Promise<void> {
  const { env } = process;
  if (!Object.keys(env).some((name) => name.startsWith(PREFIX))) return;
  const { unknownVariables, warningOf } = await import('./options/unknown-variables.ts');
  if (unknownVariables(env, [command]).length === 0) return;
  // One environment may serve several commands.
  const commands = await loadCommands();
  const log = await openEarlyLog(command, args);
  for (const name of unknownVariables(env, commands)) log.warn(warningOf(name, commands));
}

/** Prints the version of this package. */
async function showVersion(): Promise<number> {
  const { version } = await import('./console/version.ts');
  return show(version());
}

/** Prints what was asked for. */
async function show(text: string): Promise<number> {
  await print(text.trimEnd());
  return 0;
}

/** Reports what went wrong in one line, and returns its exit code. */
function report(error: unknown, log: Log): number {
  const message = error instanceof Failure ? error.message : explain(error);
  for (const line of error instanceof Failures ? error.lines : [message]) log.error(line);
  log.stack(error);
  return error instanceof Failure ? error.exitCode : EXIT_FAILURE;
}

// What is still open, such as a terminal that could be read, must not keep the process alive.
process.exit(await main(process.argv.slice(2)));
