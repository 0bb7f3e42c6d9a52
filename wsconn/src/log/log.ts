import { escaped } from '../console/escape.ts';
import { LogWriter } from './log-writer.ts';
import { hideKnown, hideSecrets } from '../console/secrets.ts';

/** How much a line matters, the most first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a program that reads the log gets beside the text. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One entry of the log. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
  /** Where an error was thrown, innermost first. */
  readonly frames?: readonly string[];
}

/** Makes the line of an entry, or the lines. */
export type LogFormat = (entry: LogEntry) => string;

/** How a log looks, and how much is in it. */
export interface LogOptions {
  /** Least level that is written. */
  readonly level?: LogLevel;
  readonly format: LogFormat;
}

/** There is one stderr. */
let writer: LogWriter | undefined;

/**
 * Writes what a person should know to stderr: stdout is for data. What a peer sent gets into no
 * other line, and secrets into none. It never fails, nor waits for a reader.
 */
export class Log {
  /** Shared with those that `with()` makes. */
  #options: { level: LogLevel; readonly format: LogFormat };
  readonly #fields: LogFields;
  #least: LogLevel = 'debug';

  /** @param fields - what every entry carries */
  constructor({ level = 'info', format }: LogOptions, fields: LogFields = {}) {
    this.#options = { level, format };
    this.#fields = fields;
  }

  /** Writes what has at least this level from now on. */
  set level(level: LogLevel) {
    this.#options.level = level;
  }

  /** Returns a log whose entries carry more fields. */
  with(fields: LogFields): Log {
    const log = new Log(this.#options, { ...this.#fields, ...fields });
    log.#options = this.#options;
    return log;
  }

  /** Returns a log that leaves out what has not at least this level. */
  atLeast(level: LogLevel): Log {
    const log = this.with({});
    log.#least = level;
    return log;
  }

  /** Reports what went wrong and ended something. */
  error(text: string, fields?: LogFields): void {
    this.#add('error', text, fields);
  }

  /** Reports what should be looked at. */
  warn(text: string, fields?: LogFields): void {
    this.#add('warn', text, fields);
  }

  info(text: string, fields?: LogFields): void {
    this.#add('info', text, fields);
  }

  /** Reports what is of interest when one looks for a fault. */
  debug(text: string, fields?: LogFields): void {
    this.#add('debug', text, fields);
  }

  /** Whether entries of that level are written. */
  writes(level: LogLevel): boolean {
    const rank = LOG_LEVELS.indexOf(level);
    return [this.#options.level, this.#least].every((least) => rank <= LOG_LEVELS.indexOf(least));
  }

  /** Reports the stack of an error, and of those that caused it, at level debug. */
  stack(error: unknown, level: LogLevel = 'debug'): void {
    for (let each = error; each instanceof Error; each = each.cause) {
      this.#add(level, `${each.name}: ${each.message}`, {}, framesOf(each));
    }
  }

  /** Resolves when all is written that can be. */
  async flushed(): Promise<void> {
    await writer?.flushed();
  }

  #add(level: LogLevel, text: string, fields?: LogFields, frames?: readonly string[]): void {
    const { format } = this.#options;
    if (!this.writes(level)) return;
    writer ??= new LogWriter();
    writer.note = (note) => format({ level: 'warn', text: note, fields: {} });
    const entry = { level, text: text.trim(), fields: { ...this.#fields, ...fields } };
    writer.line(format(frames ? { ...entry, frames } : entry));
  }
}

/**
 * Returns the format for people.
 * @param name - what each line begins with
 * @param timed - whether lines carry the time: for what runs for days
 */
export function textFormat(name: string, timed: boolean): LogFormat {
  return ({ level, text, frames }) => {
    const shown = escaped(hideSecrets(text));
    if (frames) return [shown, ...frames.map((frame) => escaped(hideKnown(frame)))].join('\n');
    const time = timed ? `${new Date().toISOString()} ` : '';
    return `${time}${name}: ${level === 'warn' ? 'warning: ' : ''}${shown}`;
  };
}

/** Returns the frames of a stack, without the message before them, which may look like frames. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  const frames = start === -1 ? '' : stack.slice(start + message.length);
  return frames.split('\n').filter((line) => /^ +at /.test(line));
}
