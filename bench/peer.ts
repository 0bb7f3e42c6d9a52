/**
 * The far end of a measurement, in a process of its own: `node --import tsx bench/peer.ts CONTENDER`. It prints its port.
 * The first message on a connection is the mode and a number: `sink N` answers one byte when N bytes have come, `echo 0`
 * sends everything back.
 */
import type { Duplex } from 'node:stream';

import { contender } from './contenders.ts';

const HEAD = 16;

function serve(stream: Duplex): void {
  stream.on('error', (error) => {
    console.error(error.message);
  });
  stream.once('data', (first: Buffer) => {
    const [mode, bytes] = first.subarray(0, HEAD).toString().trim().split(' ');
    let left = Number(bytes) + HEAD - first.length;
    stream.on('data', (chunk: Buffer) => {
      if (mode === 'echo') stream.write(chunk);
      else if ((left -= chunk.length) <= 0) stream.write('.');
    });
  });
}

console.log(String(await contender(process.argv[2]).listen(serve)));
process.stdin.resume().on('end', () => {
  process.exit();
});
