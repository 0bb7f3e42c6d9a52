/** Writes what a person at a shell should know to stderr, one line each: stdout is for data. */
export class Log {
  readonly #name: string;
  readonly #verbose: boolean;
  readonly #timed: boolean;

  /**
   * @param name - the subcommand, if there is one: each line begins with it
   * @param timed - whether lines carry the time: for what runs for days
   */
  constructor(
    name: string | undefined,
    options: { readonly verbose: boolean; readonly timed?: boolean },
  ) {
    this.#name = name === undefined ? 'wsconn' : `wsconn ${name}`;
    this.#verbose = options.verbose;
    this.#timed = options.timed ?? false;
  }

  /** Writes a line. */
  info(text: string): void {
    const time = this.#timed ? `${new Date().toISOString()} ` : '';
    process.stderr.write(`${time}${this.#name}: ${oneLine(text)}\n`);
  }

  /** Writes a line with --verbose only. */
  detail(text: string): void {
    if (this.#verbose) this.info(text);
  }

  /** Writes the stack of an error, and of those that led to it, with --verbose only. */
  stack(error: unknown): void {
    for (let each = error; this.#verbose && each instanceof Error; each = each.cause) {
      process.stderr.write(`${each.stack ?? String(each)}\n`);
    }
  }
}

/**
 * What a peer sent may hold line ends and escape sequences: they must not write lines of their own,
 * nor move a terminal's cursor.
 */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
