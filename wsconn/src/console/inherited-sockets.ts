/** Sockets that a service manager opened and hands over: sd_listen_fds(3). */

/** A socket that this process was given at its start, which listens already. */
export interface InheritedSocket {
  /** Its file descriptor. */
  readonly fd: number;
  /** Its name, from FileDescriptorName= of the unit. */
  readonly name: string;
}

/** The first descriptor that is handed over. */
const FIRST = 3;

/**
 * Returns the sockets that were handed to this process. The variables that say so name the process
 * that they are meant for: those of another one count for nothing.
 */
export function inheritedSockets(
  environment: NodeJS.ProcessEnv,
  pid: number,
): readonly InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS = '', LISTEN_FDNAMES = '' } = environment;
  if (LISTEN_PID !== String(pid) || !/^\d{1,4}$/.test(LISTEN_FDS)) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: Number(LISTEN_FDS) }, (_, index) => {
    return { fd: FIRST + index, name: names[index] || 'unknown' };
  });
}
