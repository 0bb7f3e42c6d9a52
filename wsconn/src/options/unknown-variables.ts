import { argumentsOf, type Command } from './command.ts';
import { nearest } from '../console/nearest.ts';
import { COMMON_OPTIONS, PREFIX, variableOf } from './options.ts';

/** What Kubernetes sets for each service, also for one whose name begins with wsconn. */
const OF_KUBERNETES = /_SERVICE_|_PORT/;

/** Returns the variables that look like options of this program but are none of these commands'. */
export function unknownVariables(
  environment: NodeJS.ProcessEnv,
  commands: readonly Command[],
): string[] {
  const known = new Set(commands.flatMap(variablesOf));
  return Object.keys(environment).filter(
    (name) => name.startsWith(PREFIX) && !known.has(name) && !OF_KUBERNETES.test(name),
  );
}

/** Warns of a variable that does nothing, and says which one was meant. */
export function warningOf(variable: string, commands: readonly Command[]): string {
  const known = commands.flatMap(variablesOf).map((name) => name.slice(PREFIX.length));
  const meant = nearest(variable.slice(PREFIX.length), known);
  const hint = meant === undefined ? 'see wsconn --help' : `did you mean ${PREFIX}${meant}?`;
  return `the variable ${variable} is unknown and does nothing: ${hint}`;
}

function variablesOf(command: Command): string[] {
  const { options, connectionOptions } = command;
  const specs = { ...options, ...connectionOptions, ...COMMON_OPTIONS };
  const names = [...Object.keys(specs), 'token', ...argumentsOf(command).map(({ name }) => name)];
  return names.map(variableOf);
}
