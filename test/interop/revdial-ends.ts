import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { PeerProcess } from '../support/programs/peer-process.ts';
import { GoBuild } from './go-program.ts';

export const MIB = 1024 * 1024;

/** One end of ShellHub's reverse dialer, in Go: a server or a device. */
export const goRevdial = new GoBuild('revdial');

const OWN_END = fileURLToPath(new URL('revdial-process.ts', import.meta.url));

/** Starts an end that is a process, and stops it when the test is over. */
function start(command: string, args: readonly string[]): PeerProcess {
  const peer = new PeerProcess(command, args);
  onTestFinished(() => peer.stop());
  return peer;
}

/** Starts an end that is Go. */
export function startGo(...args: string[]): PeerProcess {
  return start(goRevdial.file, args);
}

/** Starts an end that is this package. */
export function startOwn(...args: string[]): PeerProcess {
  return start(process.execPath, ['--import', 'tsx', OWN_END, ...args]);
}
