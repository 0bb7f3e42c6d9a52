import { usageFailure } from '../console/failure.ts';
import { Log, LOG_LEVELS, type LogFormat, type LogLevel, textFormat } from '../log/log.ts';
import { showGiven } from '../console/secrets.ts';
import { type CommonName, isYes, type Values, variableOf } from './options.ts';

const FORMATS = ['text', 'json'] as const;

/** Whose log it is. */
export interface LogOwner {
  /** Name of the subcommand, if there is one. */
  readonly name: string | undefined;
  /** Whether its lines carry the time: for what runs for days. */
  readonly timed?: boolean | undefined;
}

/** Opens the log that the options ask for. */
export function openLog(owner: LogOwner, values: Values<CommonName>): Promise<Log> {
  const format = oneOf(FORMATS, values.text('log-format') ?? 'text', values.nameOf('log-format'));
  return makeLog(owner, format, levelOf(values));
}

/** Returns the least level that the options ask for. */
export function levelOf(values: Values<CommonName>): LogLevel {
  const given = values.text('log-level');
  if (given !== undefined) return oneOf(LOG_LEVELS, given, values.nameOf('log-level'));
  return values.flag('verbose') ? 'debug' : 'info';
}

/**
 * Opens the log as far as that can be told before the options are checked: for what is wrong with
 * them.
 */
export function openEarlyLog(owner: LogOwner, args: readonly string[]): Promise<Log> {
  const given = (name: string): string | undefined => {
    const index = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    const arg = args[index];
    if (arg === undefined) return process.env[variableOf(name)];
    return arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : args[index + 1];
  };
  const verbose = args.includes('--verbose') || isYes(process.env[variableOf('verbose')]);
  const level = LOG_LEVELS.find((one) => one === given('log-level'));
  const format = given('log-format') === 'json' ? 'json' : 'text';
  return makeLog(owner, format, level ?? (verbose ? 'debug' : 'info'));
}

async function makeLog(
  { name, timed = false }: LogOwner,
  format: (typeof FORMATS)[number],
  level: LogLevel,
): Promise<Log> {
  const shown = name === undefined ? 'wsconn' : `wsconn ${name}`;
  let lines: LogFormat;
  if (format === 'json') {
    // Somebody waits for `wsconn connect`: what few need is loaded when it is used.
    const { jsonFormat } = await import('../log/json-format.ts');
    lines = jsonFormat(shown);
  } else {
    lines = textFormat(shown, timed);
  }
  return new Log({ level, format: lines });
}

function oneOf<T extends string>(allowed: readonly T[], text: string, option: string): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw usageFailure(`${option} must be ${allowed.join(', ')}, but is ${showGiven(text)}`);
}
