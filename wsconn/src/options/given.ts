/** Where a value came from: what is on a command line can be read by every user of the machine. */
export type Source = 'command line' | 'environment' | 'file' | 'default';

/** What was given for one option, and where. */
export interface Given {
  readonly values: readonly string[];
  readonly source: Source;
  /** Line and column of each value, where a file gives them: FILE:LINE:COLUMN. */
  readonly places?: readonly string[];
}

/** One value that a configuration file gives, as it would stand on the command line. */
export interface FileValue {
  /** Name of the option, or of the argument. */
  readonly name: string;
  /** The value; undefined where it turns an option off that has none. */
  readonly value: string | undefined;
  /** Where it stands: FILE:LINE:COLUMN. */
  readonly place: string;
}

/**
 * Gathers the values of each option. They come in the order of the file, as on a command line, so
 * that an option can belong to the one before it.
 */
export function valuesOfFile(file: readonly FileValue[]): ReadonlyMap<string, Given> {
  const found = new Map<string, Given>();
  for (const { name, value, place } of file) {
    const before = found.get(name);
    const values = [...(before?.values ?? []), ...(value === undefined ? [] : [value])];
    const places = [...(before?.places ?? []), place];
    found.set(name, { values, source: 'file', places });
  }
  return found;
}
