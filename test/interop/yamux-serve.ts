import { createHash } from 'node:crypto';

import { bytesOf } from '../../src/conformance/frame/bytes.ts';
import type { YamuxStream } from '../../src/yamux/index.ts';

/**
 * Does on this side what the program yamux-peer does on its: what the first line of the stream asks
 * for.
 */
export function serve(stream: YamuxStream): void {
  stream.allowHalfOpen = true;
  stream.on('error', () => undefined);
  let head = Buffer.alloc(0);
  stream.on('readable', function onReadable() {
    let chunk: Buffer | string | null;
    while ((chunk = stream.read()) !== null) {
      head = Buffer.concat([head, chunk as Buffer]);
      const end = head.indexOf('\n');
      if (end === -1) continue;
      stream.off('readable', onReadable);
      if (head.length > end + 1) stream.unshift(head.subarray(end + 1));
      obey(stream, head.toString('latin1', 0, end).split(' '));
      return;
    }
  });
}

function obey(stream: YamuxStream, [command, count]: string[]): void {
  const hash = createHash('sha256');
  let length = 0;
  switch (command) {
    case 'echo':
      stream.pipe(stream);
      break;
    case 'sum':
      stream.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        length += chunk.length;
      });
      stream.on('end', () => stream.end(`${String(length)} ${hash.digest('hex')}`));
      break;
    case 'source':
      void source(stream, Number(count)).then(() => stream.end());
      stream.resume();
      break;
    default:
      stream.resume();
  }
}

/** Sends `length` bytes and then their SHA-256, 32 bytes. */
export async function source(stream: YamuxStream, length: number): Promise<void> {
  const hash = createHash('sha256');
  const block = bytesOf(1, 65_536);
  for (let left = length; left > 0; left -= block.length) {
    const part = block.subarray(0, left);
    hash.update(part);
    if (!stream.write(part)) await new Promise((resolve) => stream.once('drain', resolve));
  }
  stream.write(hash.digest());
}
