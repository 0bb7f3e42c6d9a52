/** Exit code when something failed or was cut; 0 is success. */
export const EXIT_FAILURE = 1;
/** The command line or the environment is wrong; nothing was tried. */
export const EXIT_USAGE = 2;

/** Reports what went wrong and what to do about it, in one line for the user. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(
    line: string,
    options: { readonly exitCode?: number; readonly cause?: unknown } = {},
  ) {
    super(line, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT_FAILURE;
  }
}

/**
 * A failure that is found on the way to a server, below ws. By its code ws and the library pass it
 * on as it is: an error without one they take for an answer that is no WebSocket's.
 */
export class WayFailure extends Failure {
  readonly code = 'ERR_WSCONN_WAY';
}

/** Reports several things that are wrong, such as those of one file, in a line each. */
export class Failures extends Failure {
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options: { readonly exitCode: number }) {
    super(lines.join('; '), options);
    this.lines = lines;
  }
}

/** Returns the failure of a wrong command line or environment. */
export function usageFailure(line: string, cause?: unknown): Failure {
  return new Failure(line, { exitCode: EXIT_USAGE, cause });
}
