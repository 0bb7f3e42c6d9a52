/** Whom a token stands for, and what he may use. */
export interface Grant {
  /** Name of the token, if it has one. */
  readonly name?: string | undefined;
  /** Names of the targets that it opens; all where left out. */
  readonly targets?: ReadonlySet<string> | undefined;
}

/**
 * Says whether an Authorization header carries a token, and what that opens; null where it does
 * not, and BUSY where that cannot be found out now.
 * @param address - that of the client, as `addressKey()` gives it
 */
export type CheckToken = (
  authorization: string | undefined,
  address: string,
) => Grant | null | typeof BUSY | Promise<Grant | null | typeof BUSY>;

/** Says that a token cannot be checked now, since too many others are. */
export const BUSY = 'busy';
