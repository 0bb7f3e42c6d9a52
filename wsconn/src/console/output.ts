import { escaped } from './escape.ts';
import { codeOf } from './explain.ts';
import { hideKnown, hideSecrets } from './secrets.ts';
import { exitCodeOf } from './signals.ts';

/**
 * Writes a line of data to stdout; resolves when it has been taken. When a reader has seen enough
 * (`| head`), it ends the process as SIGPIPE would, which Node ignores.
 */
export function print(text: string): Promise<void> {
  const { stdout } = process;
  // The callback below gets the same error.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => undefined);
  const lines = text.split('\n').map(escaped).join('\n');
  return new Promise((resolve, reject) => {
    stdout.write(`${lines}\n`, (error) => {
      if (!error) resolve();
      else if (codeOf(error) === 'EPIPE') process.exit(exitCodeOf('SIGPIPE'));
      else reject(error);
    });
  });
}

/**
 * Writes what a person should know to stderr, one line each: stdout is for data. What a peer sent
 * gets into no other line, and secrets into none.
 */
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
    process.stderr.write(`${time}${this.#name}: ${escaped(hideSecrets(text.trim()))}\n`);
  }

  /** Writes a line with --verbose only. */
  detail(text: string): void {
    if (this.#verbose) this.info(text);
  }

  /** Writes the stack of an error, and of those that caused it, with --verbose only. */
  stack(error: unknown): void {
    for (let each = error; this.#verbose && each instanceof Error; each = each.cause) {
      const { name, message } = each;
      process.stderr.write(`${escaped(hideSecrets(`${name}: ${message}`.trim()))}\n`);
      for (const frame of framesOf(each)) process.stderr.write(`${escaped(hideKnown(frame))}\n`);
    }
  }
}

/** Returns the frames of a stack, without the message before them, which may look like frames. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  const frames = start === -1 ? '' : stack.slice(start + message.length);
  return frames.split('\n').filter((line) => /^ +at /.test(line));
}
