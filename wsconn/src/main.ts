import { loadCommand, loadCommands } from './commands.ts';
import { explain } from './console/explain.ts';
import { EXIT_FAILURE, EXIT_USAGE, Failure } from './console/failure.ts';
import type { Log } from './console/log.ts';
import { print } from './console/print.ts';
import type { Command } from './options/command.ts';
import { openEarlyLog } from './options/open-log.ts';
import { PREFIX } from './options/options.ts';

/** Does what the command line says and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  let log = await openEarlyLog({ name: name?.startsWith('-') ? undefined : name }, args);
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      return await help(name);
    }
    if (name === '--version') {
      const { version } = await import('./console/version.ts');
      return await show(version());
    }
    const command = await loadCommand(name);
    if (rest.some((arg) => arg === '--help' || arg === '-h')) {
      const { commandHelp } = await import('./options/help.ts');
      return await show(commandHelp(command));
    }
    await warnOfVariables(command, args);
    const prepared = await command.prepare(rest);
    log = prepared.failures;
    return await prepared.run();
  } catch (error) {
    return report(error, log);
  } finally {
    await log.flushed();
  }
}

/** Prints the general help: to stdout if it was asked for. */
async function help(name: string | undefined): Promise<number> {
  const { generalHelp } = await import('./options/help.ts');
  const text = generalHelp(await loadCommands());
  if (name !== undefined) return show(text);
  process.stderr.write(text);
  return EXIT_USAGE;
}

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

/** Prints what was asked for. */
async function show(text: string): Promise<number> {
  await print(text.trimEnd());
  return 0;
}

/** Reports what went wrong in one line, and returns its exit code. */
function report(error: unknown, log: Log): number {
  log.error(error instanceof Failure ? error.message : explain(error));
  log.stack(error);
  return error instanceof Failure ? error.exitCode : EXIT_FAILURE;
}

// What is still open, such as a terminal that could be read, must not keep the process alive.
process.exit(await main(process.argv.slice(2)));
