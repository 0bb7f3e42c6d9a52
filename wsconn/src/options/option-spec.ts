/** Describes one option of a subcommand, for the parser and for the help alike. */
export interface OptionSpec {
  /** How the help shows the value; left out for an option without one. */
  readonly value?: string;
  /** Whether it may be given more than once. */
  readonly multiple?: boolean;
  /** Value when none is given, as the user would type it. */
  readonly default?: string;
  /**
   * What stands between the name and the value of an entry, where a configuration file may give a
   * map: `=` of `NAME=HOST:PORT`.
   */
  readonly between?: string;
  /** Other options that a configuration file may group with it: a list of {listen, to}. */
  readonly beside?: readonly string[];
  /** Whether a value may hold a secret, and is shown in no message. */
  readonly secret?: boolean;
  /** What it does, in a few words. */
  readonly help: string;
}

/** Options by their long names, without the dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
