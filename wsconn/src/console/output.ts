import { codeOf } from './explain.ts';
import { exitCodeOf } from './signals.ts';

/**
 * Writes a line of data to stdout; resolves when it has been taken. When a reader has seen enough
 * (`| head`), it ends the process as SIGPIPE would, which Node ignores.
 */
export function print(text: string): Promise<void> {
  const { stdout } = process;
  // The callback below gets the same error.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    stdout.write(`${text}\n`, (error) => {
      if (!error) resolve();
      else if (codeOf(error) === 'EPIPE') process.exit(exitCodeOf('SIGPIPE'));
      else reject(error);
    });
  });
}

/** Writes what a person should know to stderr, one line each: stdout is for data. */
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

  /** Writes the stack of an error, and of those that caused it, with --verbose only. */
  stack(error: unknown): void {
    for (let each = error; this.#verbose && each instanceof Error; each = each.cause) {
      process.stderr.write(`${each.stack ?? String(each)}\n`);
    }
  }
}

/**
 * Replaces control characters: what a peer sent must not start lines of its own, nor move a
 * terminal's cursor.
 */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
