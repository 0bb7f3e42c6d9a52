import { type Command, type CommandSpec, defineCommand } from '../options/command.ts';
import type { CommonName, Values } from '../options/options.ts';
import type { Log } from '../console/log.ts';
import { Dialer, DIAL_OPTIONS, type DialName } from './dialer.ts';

const URL_ARGUMENT = {
  name: 'url',
  help: 'ws://HOST[:PORT][/PATH], wss:// for TLS, or ws+unix:/SOCKET[:/PATH]',
};

/** Describes a subcommand that dials the server of its URL. */
export interface DialCommandSpec<Name extends string> extends Omit<
  CommandSpec<Name>,
  'argument' | 'connectionOptions' | 'run'
> {
  /** Does the work and returns the exit code. */
  run(values: Values<Name | CommonName>, dialer: Dialer, log: Log): Promise<number>;
}

/**
 * Makes a subcommand with the options of those that dial, and with the dialer that they describe.
 */
export function defineDialCommand<Name extends string>(spec: DialCommandSpec<Name>): Command {
  return defineCommand<Name | DialName>({
    ...spec,
    argument: URL_ARGUMENT,
    connectionOptions: DIAL_OPTIONS,
    async run(values, log) {
      return spec.run(values, await Dialer.of(values, log), log);
    },
  });
}
