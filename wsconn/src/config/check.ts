import { explain } from '../console/explain.ts';
import { EXIT_USAGE, Failure, Failures, usageFailure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import { nearest } from '../console/nearest.ts';
import { print } from '../console/print.ts';
import { showGiven } from '../console/secrets.ts';
import { type Command, defineCommand } from '../options/command.ts';
import type { FileValue } from '../options/given.ts';
import { readSections, type Sections, warnOfSecrets } from './read-config.ts';

/** Makes the subcommand that checks a configuration file. */
export function makeCheck(loadCommands: () => Promise<readonly Command[]>): Command {
  return defineCommand<'file' | 'command'>({
    name: 'check',
    usage: '[OPTIONS] FILE|--config FILE [COMMAND]',
    summary: 'checks a configuration file, and what it names',
    details: [
      'It checks the file, and each section of it as its command does when it starts:',
      'places, certificates, token files. It starts nothing. What the environment',
      'sets counts too. The exit code is 0 when all is well.',
    ],
    argument: { name: 'file', help: 'the configuration file, instead of --config', file: true },
    secondArgument: { name: 'command', help: 'the only command to check it for (default all)' },
    options: {},
    examples: ['wsconn check /etc/wsconn.yaml', 'wsconn check /etc/wsconn.yaml serve'],
    takesConfig: true,
    async run(values, log) {
      // With --config the one argument is the command.
      const named = values.source('config') === 'command line';
      const option = named || values.text('file') === undefined ? 'config' : 'file';
      const path = values.text(option);
      if (path === undefined) throw usageFailure('FILE is missing: give the file to check');
      const commands = await loadCommands();
      const sections = await readSections(path, commands, values.nameOf(option));
      await warnOfSecrets(sections, path, values.nameOf(option), log);
      const only = values.text(named ? 'file' : 'command');
      if (only !== undefined && !sections.has(only)) throw noSection(only, path, sections);
      const wrong: string[] = [];
      for (const [name, section] of sections) {
        if (only !== undefined && name !== only) continue;
        const command = commands.find((one) => one.name === name);
        const problem = command && (await problemOf(command, section, log));
        if (problem === undefined) await print(`${path}: ${name}: ok`);
        else wrong.push(problem.startsWith(`${path}:`) ? problem : `${path}: ${name}: ${problem}`);
      }
      if (wrong.length > 0) throw new Failures(wrong, { exitCode: EXIT_USAGE });
      return 0;
    },
  });
}

/** Returns what keeps a command from starting; undefined where it could start. */
async function problemOf(
  command: Command,
  section: readonly FileValue[],
  log: Log,
): Promise<string | undefined> {
  try {
    await command.check(section, log);
    return undefined;
  } catch (error) {
    log.stack(error);
    return error instanceof Failure ? error.message : explain(error);
  }
}

function noSection(name: string, path: string, sections: Sections): Failure {
  const names = [...sections.keys()];
  const meant = nearest(name, names);
  const hint = meant === undefined ? `it has ${names.join(', ')}` : `did you mean ${meant}?`;
  return usageFailure(`${path} has no section ${showGiven(name)}: ${hint}`);
}
