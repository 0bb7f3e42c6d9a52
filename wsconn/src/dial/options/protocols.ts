import { usageFailure } from '../../console/failure.ts';
import { showGiven } from '../../console/secrets.ts';
import type { DialValues } from './dial-options.ts';

/** By these `wsconn serve` knows what the other subcommands want of it. */
const OWN_PREFIX = 'wsconn.';

/**
 * Reads the subprotocols to offer.
 * @throws Failure for what is no token (RFC 9110, section 5.6.2), given twice or of wsconn itself,
 * and beside --mux
 */
export function readProtocols(values: DialValues): readonly string[] {
  const names = values.list('protocol');
  const option = values.nameOf('protocol');
  if (names.length > 0 && values.flag('mux')) {
    throw usageFailure(
      `${option} contradicts ${values.nameOf('mux')}, which has a subprotocol of its own: leave one of them out`,
    );
  }
  for (const [index, name] of names.entries()) {
    const problem = !/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)
      ? 'is none'
      : name.startsWith(OWN_PREFIX)
        ? 'is one of wsconn itself'
        : names.indexOf(name) === index
          ? undefined
          : 'is given twice';
    if (problem === undefined) continue;
    throw usageFailure(
      `${option} must be a subprotocol, such as mqtt, but ${showGiven(name)} ${problem}`,
    );
  }
  return names;
}
