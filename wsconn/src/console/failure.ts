/** Exit codes of the command: 0 is kept for when all went well. */
export const EXIT_FAILURE = 1;
/** The command line or the environment is wrong; nothing was tried. */
export const EXIT_USAGE = 2;

/**
 * Reports what went wrong in one line that says what to do about it. It is printed as it is,
 * without a stack.
 */
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

/** Makes the failure of a command line or an environment that cannot be understood. */
export function usageFailure(line: string, cause?: unknown): Failure {
  return new Failure(line, { exitCode: EXIT_USAGE, cause });
}
