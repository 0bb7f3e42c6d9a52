import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * Below the ports that systems give out by themselves, from 32768 on Linux, 49152 elsewhere: none
 * of the many connections of other tests can take one before the program does.
 */
const RANGE = { from: 10_000, to: 32_000 };

/**
 * Returns a port of 127.0.0.1 that is free now, for programs that cannot choose one by themselves
 * and print it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(RANGE.from, RANGE.to);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
