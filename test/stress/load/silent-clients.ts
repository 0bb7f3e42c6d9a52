/**
 * A process of clients that connect to a port and ask for nothing, or begin to. Told { port, count },
 * it answers how they were refused, when they all were. Run with tsx, by fork().
 */
import net from 'node:net';

/** What has come of the clients. */
export interface Refusals {
  /** Those that got 408 and an end. */
  readonly refused: number;
  /** Those that got something else. */
  readonly others: number;
  /** Time in ms from connecting to the first refusal, and to the last. */
  readonly first: number;
  readonly last: number;
}

/** Connects that are under way at a time: a kernel has room for a backlog only. */
const AT_ONCE = 200;

const REQUEST =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';

async function refuse(port: number, count: number): Promise<Refusals> {
  const figures = { refused: 0, others: 0, first: Infinity, last: 0 };
  const over: Promise<void>[] = [];
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      const number = begun++;
      const since = performance.now();
      const socket = net.connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.on('error', () => undefined);
      over.push(
        new Promise((resolve) => {
          socket.on('close', () => {
            const took = performance.now() - since;
            if (answer.startsWith('HTTP/1.1 408')) figures.refused++;
            else figures.others++;
            figures.first = Math.min(figures.first, took);
            figures.last = Math.max(figures.last, took);
            resolve();
          });
        }),
      );
      await new Promise<void>((resolve) => {
        socket.once('close', resolve);
        socket.once('connect', () => {
          // A third sends nothing, a third a part of a request, a third all but its end.
          if (number % 3 > 0) socket.write(number % 3 === 1 ? REQUEST.slice(0, 30) : REQUEST);
          resolve();
        });
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await Promise.all(over);
  return figures;
}

process.on('message', ({ port, count }: { port: number; count: number }) => {
  void refuse(port, count).then((figures) => process.send?.(figures));
});
