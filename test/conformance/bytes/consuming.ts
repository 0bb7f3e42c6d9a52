import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

import { describe, expect, test } from 'vitest';

import { bytesOf, cutAtRandom, sha256 } from '../../support/bytes.ts';
import { record } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { expectOneClose } from '../ends/cutting.ts';
import { connected, type Subject } from '../subject.ts';

const SIZE = 3_000_000;

function collect(into: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, callback) {
      into.push(chunk);
      setImmediate(callback);
    },
  });
}

/** The ways in which a stream is used by others than its own methods. */
export function consuming(subject: Subject): void {
  describe('use as a stream', () => {
    test('for await gives every byte, and leaves the loop at the end', async () => {
      const { a, b } = await connected(subject);
      const recording = record(b);
      const bytes = bytesOf(1, SIZE);
      a.resume();
      a.end(bytes);
      const chunks: Buffer[] = [];
      for await (const chunk of b) chunks.push(chunk as Buffer);
      expect(sha256(chunks)).toBe(sha256(bytes));
      await recording.closed;
      expect(recording.errors).toEqual([]);
    });

    test.each([[[300_000]], [[1_000_000]], [[130_000, 200_000]], [[131_000, 140_000]]])(
      'read() gives as many bytes as it is asked for: %j',
      async (sizes) => {
        const { a, b } = await connected(subject);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const bytes = bytesOf(9, total);
        a.write(bytes);
        const chunks: Buffer[] = [];
        await new Promise<void>((resolve) => {
          b.on('readable', () => {
            for (let size = sizes[chunks.length]; size !== undefined; size = sizes[chunks.length]) {
              const chunk = b.read(size) as Buffer | null;
              if (chunk === null) return;
              chunks.push(chunk);
            }
            resolve();
          });
        });
        expect(chunks.map(({ length }) => length)).toEqual(sizes);
        expect(sha256(chunks)).toBe(sha256(bytes));
      },
    );

    test('leaving for await early destroys the connection', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      a.resume();
      a.write('one');
      for await (const chunk of b) {
        expect((chunk as Buffer).toString()).toBe('one');
        break;
      }
      expect(b.destroyed).toBe(true);
      await Promise.all([atA.closed, atB.closed]);
      // Node destroys with an AbortError what is left while its writable side is open.
      expect(atB.errors).toMatchObject([{ name: 'AbortError' }]);
      expectOneClose(atA);
      expectOneClose(atB);
    });

    test('for await throws the error of the connection', async () => {
      const { a, b } = await connected(subject);
      const loop = async (): Promise<void> => {
        for await (const _chunk of b) a.resetAndDestroy();
      };
      a.write('one');
      await expect(loop()).rejects.toMatchObject({ code: 'ECONNRESET' });
    });

    test('pipeline() into and out of a connection resolves when all has passed', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(2, SIZE);
      const chunks: Buffer[] = [];
      a.resume();
      await Promise.all([
        pipeline(Readable.from(cutAtRandom(bytes, 3, 50_000)), a),
        pipeline(b, collect(chunks)),
      ]);
      expect(sha256(chunks)).toBe(sha256(bytes));
    });

    test('pipeline() rejects with the error of a source, and destroys the connection', async () => {
      const { a, b } = await connected(subject);
      const recording = record(b);
      b.resume();
      const source = async function* (): AsyncGenerator<Buffer> {
        yield Buffer.from('some');
        await Promise.resolve();
        throw new Error('the source broke');
      };
      await expect(pipeline(source, a)).rejects.toThrow('the source broke');
      expect(a.destroyed).toBe(true);
      await recording.closed;
    });

    test('pipeline() rejects when the peer cuts the connection', async () => {
      const { a, b } = await connected(subject);
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(65_536));
        },
      });
      b.once('data', () => b.resetAndDestroy());
      await expect(pipeline(endless, a)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as string,
      });
      expect(endless.destroyed).toBe(true);
    });

    test('finished() resolves after an orderly end, and rejects after a cut', async () => {
      const orderly = await connected(subject);
      orderly.b.resume();
      orderly.a.resume();
      const bothDone = Promise.all([finished(orderly.a), finished(orderly.b)]);
      orderly.a.end('x');
      await bothDone;

      const cut = await connected(subject);
      cut.b.resume();
      const outcome = finished(cut.b);
      cut.a.resetAndDestroy();
      await expect(outcome).rejects.toMatchObject({ code: 'ECONNRESET' });

      const early = await connected(subject);
      const premature = finished(early.a);
      early.a.destroy();
      await expect(premature).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    });

    test('pipe() ends its target with its source', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(4, SIZE);
      Readable.from(cutAtRandom(bytes, 5, 9_000)).pipe(a);
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
    });

    test("reading with 'readable' and read() gives every byte", async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(6, SIZE);
      const chunks: Buffer[] = [];
      b.on('readable', () => {
        for (;;) {
          const chunk = b.read() as Buffer | null;
          if (chunk === null) return;
          chunks.push(chunk);
        }
      });
      a.end(bytes);
      await once(b, 'end');
      expect(sha256(chunks)).toBe(sha256(bytes));
    });
  });
}
