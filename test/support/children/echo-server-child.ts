/**
 * A server that echoes, with the options that it is given as JSON, in a process whose memory a test
 * measures. Prints its port, and then as a line of JSON each error of a connection; for each line
 * that it is given, how many bytes it keeps, behind a garbage collection. Run with tsx and
 * --expose-gc.
 */
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

import { createServer, type CreateServerOptions } from '../../../src/index.ts';

const [options = '{}'] = process.argv.slice(2);
const server = createServer(JSON.parse(options) as CreateServerOptions, (adapter) => {
  adapter.on('error', (error: NodeJS.ErrnoException) => {
    process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
  });
  adapter.pipe(adapter);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${String((server.address() as AddressInfo).port)}\n`);
});

createInterface({ input: process.stdin }).on('line', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ kept: heapUsed + external })}\n`);
});
