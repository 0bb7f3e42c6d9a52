#!/usr/bin/env node
import { loadCommand, loadCommands } from './commands.ts';
import { explain } from './console/explain.ts';
import { EXIT_FAILURE, EXIT_USAGE, Failure } from './console/failure.ts';
import { Log } from './console/log.ts';

/** Does what the command line says and gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const { generalHelp } = await import('./console/help.ts');
    const help = generalHelp(await loadCommands());
    if (name !== undefined) return show(help);
    process.stderr.write(help);
    return EXIT_USAGE;
  }
  if (name === '--version') {
    const { version } = await import('./console/version.ts');
    return show(version());
  }
  const command = await loadCommand(name);
  if (rest.some((arg) => arg === '--help' || arg === '-h')) {
    const { commandHelp } = await import('./console/help.ts');
    return show(commandHelp(command));
  }
  return command.run(rest);
}

/** Prints what was asked for, which went well. */
async function show(text: string): Promise<number> {
  const { print } = await import('./console/output.ts');
  await print(text.trimEnd());
  return 0;
}

/** Prints what went wrong as one line, and gives its exit code. */
function report(error: unknown, args: readonly string[]): number {
  const name = args[0]?.startsWith('-') ? undefined : args[0];
  const log = new Log(name, {
    verbose: args.includes('--verbose') || Boolean(process.env['WSCONN_VERBOSE']),
  });
  log.info(error instanceof Failure ? error.message : explain(error));
  log.stack(error);
  return error instanceof Failure ? error.exitCode : EXIT_FAILURE;
}

const args = process.argv.slice(2);
// What is left open by now, such as a terminal that could still be read, must not keep the process.
process.exit(await main(args).catch((error: unknown) => report(error, args)));
