/**
 * Measures what `wsconn connect` adds to Node's own start: the time until its request is at the
 * server, and until the first byte from the target is on stdout, each less the time that
 * `node -e 0` takes. Build first.
 *
 *   npm run build && node --import tsx bench/startup.ts [runs]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { createServer, join } from '../src/index.ts';
import { median } from './parts/median.ts';

const MAIN = fileURLToPath(new URL('../wsconn/bin/wsconn.js', import.meta.url));
const runs = Number(process.argv[2] ?? 41);

/**
 * Time in ms from the start of a program until `ready`, which is told when the program has started.
 */
async function timed(
  args: string[],
  ready: (child: ReturnType<typeof spawn>) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await ready(child);
  const time = performance.now() - start;
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return time;
}

const ignore = (): void => {
  // The clients are killed.
};
const target = net.createServer((socket) => {
  socket.on('error', ignore);
  socket.end('SSH-2.0-bench\r\n');
});
target.listen(0, '127.0.0.1');
await once(target, 'listening');
const { port: targetPort } = target.address() as AddressInfo;
const server = createServer((adapter) => {
  join(adapter, net.connect(targetPort, '127.0.0.1')).catch(ignore);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

const times = { node: [] as number[], request: [] as number[], firstByte: [] as number[] };
// In turn, so that what else the machine does meets all alike.
for (let run = 0; run < runs; run++) {
  times.node.push(await timed(['-e', '0'], (child) => once(child, 'exit')));
  times.request.push(await timed([MAIN, 'connect', url], () => once(server, 'connection')));
  times.firstByte.push(
    await timed([MAIN, 'connect', url], (child) => once(child.stdout ?? child, 'data')),
  );
}
const [node, request, firstByte] = [
  median(times.node),
  median(times.request),
  median(times.firstByte),
];
console.log(`medians of ${String(runs)} runs`);
console.log(`node -e 0                          ${node.toFixed(0)} ms`);
console.log(`wsconn connect, connection made    +${(request - node).toFixed(0)} ms`);
console.log(`wsconn connect, first byte there   +${(firstByte - node).toFixed(0)} ms`);
await server.close();
target.close();
