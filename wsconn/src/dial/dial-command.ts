import { type Command, type CommandSpec, defineCommand, type Reread } from '../options/command.ts';
import type { CommonName, Values } from '../options/options.ts';
import { explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import { Dialer, DIAL_OPTIONS, type DialName } from './dialer.ts';

const URL_ARGUMENT = {
  name: 'url',
  help: 'ws://HOST[:PORT][/PATH], wss:// for TLS, or ws+unix:/SOCKET[:/PATH]',
  secret: true,
  standIn: 'ws://localhost',
};

/** Describes a subcommand that dials the server of its URL. */
export interface DialCommandSpec<Name extends string> extends Omit<
  CommandSpec<Name>,
  'argument' | 'connectionOptions' | 'run' | 'check'
> {
  /** Does the work and returns the exit code. */
  run(
    values: Values<Name | CommonName>,
    dialer: Dialer,
    log: Log,
    reread: Reread<Name | CommonName | DialName> | undefined,
  ): Promise<number>;
  /** Checks what its own options mean. */
  check?(values: Values<Name | CommonName | DialName>, log: Log): Promise<unknown>;
}

/**
 * Makes a subcommand with the options of those that dial, and with the dialer that they describe.
 */
export function defineDialCommand<Name extends string>(spec: DialCommandSpec<Name>): Command {
  return defineCommand<Name | DialName>({
    ...spec,
    argument: URL_ARGUMENT,
    connectionOptions: DIAL_OPTIONS,
    async run(values, log, reread) {
      return spec.run(values, await Dialer.of(values, log), log, reread);
    },
    check: async (values, log) => {
      await spec.check?.(values, log);
      await checkDialer(await Dialer.of(values, log));
    },
  });
}

/** Checks that a dialer can read its files, and that certificate and key belong together. */
export async function checkDialer(dialer: Dialer): Promise<void> {
  const { ca, cert, key } = await dialer.request();
  const { createSecureContext } = await import('node:tls');
  try {
    createSecureContext({ ca, cert, key });
  } catch (cause) {
    throw new Failure(`--cert and --key cannot be used: ${explain(cause)}`, { cause });
  }
}
