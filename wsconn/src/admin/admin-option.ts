import { usageFailure } from '../console/failure.ts';
import { isInherited, type ListenPlace, parseListen } from '../console/place.ts';
import type { OptionSpecs, Values } from '../options/options.ts';

/** The option that shows health and figures. */
export const ADMIN_OPTION = {
  admin: {
    value: 'HOST:PORT',
    help: 'where to answer /healthz, /readyz and /metrics, also unix:/PATH (default nowhere)',
  },
} as const satisfies OptionSpecs;

/**
 * Returns where health and figures are shown, or undefined where they are not.
 * @param listen - where else the process listens
 */
export function readAdmin(
  values: Values<'admin'>,
  listen: readonly ListenPlace[],
): ListenPlace | undefined {
  const text = values.text('admin');
  if (text === undefined) return undefined;
  const place = parseListen(text, values.nameOf('admin'));
  const isTaken = listen.some(
    (other) => isInherited(place) && isInherited(other) && place.fd === other.fd,
  );
  if (!isTaken) return place;
  throw usageFailure(
    `${values.nameOf('admin')} and --listen are the same socket of systemd: name them apart, as systemd:NAME`,
  );
}
