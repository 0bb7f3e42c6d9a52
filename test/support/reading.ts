import type { Readable } from 'node:stream';

/**
 * Reads to the end, also what was paused. Resolves with all the bytes, or rejects with the stream's
 * error.
 */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.resume();
  await new Promise<void>((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('error', reject);
    stream.once('close', () => {
      reject(new Error('the stream closed before its end'));
    });
  });
  return Buffer.concat(chunks);
}

/**
 * Reads exactly `length` bytes and leaves what follows unread; rejects if the stream ends or fails
 * before.
 */
export function readExactly(stream: Readable, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let missing = length;
    const take = (): void => {
      while (missing > 0) {
        const part = stream.read(Math.min(missing, stream.readableLength)) as Buffer | null;
        if (part === null) return;
        parts.push(part);
        missing -= part.length;
      }
      letGo();
      resolve(Buffer.concat(parts));
    };
    const fail = (error?: Error): void => {
      letGo();
      reject(error ?? new Error(`the stream ended ${String(missing)} bytes too early`));
    };
    const onEnd = (): void => {
      fail();
    };
    const letGo = (): void => {
      stream.off('readable', take);
      stream.off('end', onEnd);
      stream.off('error', fail);
      stream.off('close', onEnd);
    };
    stream.on('readable', take);
    stream.on('end', onEnd);
    stream.on('error', fail);
    stream.on('close', onEnd);
    take();
  });
}
