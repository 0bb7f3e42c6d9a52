import { pino } from 'pino';

import { escaped } from '../console/escape.ts';
import type { LogFields, LogFormat } from './log.ts';
import { hideKnown, hideSecrets } from '../console/secrets.ts';

/**
 * Returns the format for programs: one JSON object for each entry, with `level`, `time`, `name`,
 * `msg` and the fields of the entry.
 * @param name - value of `name`
 */
export function jsonFormat(name: string): LogFormat {
  let line = '';
  const logger = pino(
    {
      level: 'debug',
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (text) => (line = text) },
  );
  return ({ level, text, fields, frames }) => {
    const stack = frames && { stack: frames.map((frame) => hideKnown(frame.trim())) };
    logger[level]({ ...withoutSecrets(fields), ...stack }, hideSecrets(text));
    // In JSON an escaped character means what it stands for.
    return escaped(line.trimEnd());
  };
}

function withoutSecrets(fields: LogFields): LogFields {
  const shown = Object.entries(fields).map(([name, value]) => {
    return [name, typeof value === 'string' ? hideSecrets(value) : value] as const;
  });
  return Object.fromEntries(shown);
}
