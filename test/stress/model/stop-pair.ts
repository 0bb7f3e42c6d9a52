import type { Made } from './pairs.ts';
import { Broken } from './watched-end.ts';

/**
 * Time in ms that anything may take beyond its own limit: the machine may be busy with other
 * histories, and what hangs does so for good.
 */
export const PATIENCE = 8_000;

/** Waits for a promise, and throws Broken with what it is where that takes longer than `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Broken(`${what} took longer than ${String(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends what is left of a connection under test, and waits until nothing is. */
export async function stopPair(made: Made): Promise<void> {
  made.a.destroy();
  (await within(PATIENCE, 'the end of a handshake', made.accepted))?.destroy();
  // What lingers would hold its server until its peer has ended too.
  for (const ws of made.webSockets) ws.terminate();
  const gone = made.webSockets
    .filter((ws) => ws.readyState !== ws.CLOSED)
    .map((ws) => new Promise((resolve) => ws.once('close', resolve)));
  await within(PATIENCE, 'a WebSocket', Promise.all(gone));
  await within(PATIENCE, 'what was joined or served', Promise.all([made.stop(), ...made.settles]));
}
