/** Listens to an 'error' that reaches its reader in another way. */
export function ignore(): void {
  // An 'error' without a listener would bring the process down.
}
