/**
 * The far end of a measurement, in a process of its own:
 * `node --import tsx bench/parts/far.ts CONTESTANT`. It prints its port. The first 16 bytes of a
 * stream are `sink N`: it answers one byte when N bytes more have come, and again for each N.
 */
import { type BenchStream, contestant } from './contestants.ts';

const HEAD = 16;

function serve(stream: BenchStream): void {
  let head: string | null = null;
  let expected = 0;
  let left = 0;
  stream.onData((length, chunk) => {
    let bytes = length;
    if (head === null) {
      head = chunk.toString('latin1', 0, HEAD);
      expected = left = Number(head.split(' ')[1]);
      bytes -= HEAD;
    }
    left -= bytes;
    if (left > 0) return;
    left += expected;
    stream.write(Buffer.from('.'));
  });
}

const own = contestant(process.argv[2]);
const port = await own.transport.listen((duplex) => {
  duplex.on('error', () => undefined);
  own.serve(duplex, serve);
});
console.log(String(port));
process.stdin.resume().on('end', () => {
  process.exit();
});
