import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

import { assertOneClose } from '../frame/assertions.ts';
import { bytesOf, cutAtRandom, sha256 } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';

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
export const consuming = group('use as a stream', [], (it) => {
  it('for await gives every byte, and leaves the loop at the end', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(b);
    const bytes = bytesOf(1, SIZE);
    a.resume();
    a.end(bytes);
    const chunks: Buffer[] = [];
    const loop = async (): Promise<void> => {
      for await (const chunk of b) chunks.push(chunk as Buffer);
    };
    await t.wait('the end of for await', loop());
    assert.equal(sha256(chunks), sha256(bytes));
    await recording.closed;
    assert.deepEqual(recording.errors, []);
  });

  for (const sizes of [[300_000], [1_000_000], [130_000, 200_000], [131_000, 140_000]]) {
    it(['read() gives as many bytes as it is asked for', sizes.join(' and ')], async (t) => {
      const { a, b } = await t.connected();
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const bytes = bytesOf(9, total);
      a.write(bytes);
      const chunks: Buffer[] = [];
      await t.until('the bytes that read(size) asks for', (resolve) => {
        b.on('readable', () => {
          for (let size = sizes[chunks.length]; size !== undefined; size = sizes[chunks.length]) {
            const chunk = b.read(size) as Buffer | null;
            if (chunk === null) return;
            chunks.push(chunk);
          }
          resolve();
        });
      });
      assert.deepEqual(
        chunks.map(({ length }) => length),
        sizes,
      );
      assert.equal(sha256(chunks), sha256(bytes));
    });
  }

  it('leaving for await early destroys the connection', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    a.resume();
    a.write('one');
    const loop = async (): Promise<void> => {
      for await (const chunk of b) {
        assert.equal(String(chunk), 'one');
        break;
      }
    };
    await t.wait('the first chunk of for await', loop());
    assert.equal(b.destroyed, true);
    await Promise.all([atA.closed, atB.closed]);
    // Node destroys with an AbortError what is left while its writable side is open.
    assert.deepEqual(
      atB.errors.map(({ name }) => name),
      ['AbortError'],
    );
    assertOneClose(t, atA);
    assertOneClose(t, atB);
  });

  it('for await throws the error of the connection', ['reset'], async (t) => {
    const { a, b } = await t.connected();
    const loop = async (): Promise<void> => {
      for await (const _chunk of b) a.resetAndDestroy();
    };
    a.write('one');
    await assert.rejects(t.wait('the end of for await', loop()), { code: 'ECONNRESET' });
  });

  it('pipeline() into and out of a connection resolves when all has passed', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(2, SIZE);
    const chunks: Buffer[] = [];
    a.resume();
    await Promise.all([
      t.wait('pipeline() into a', pipeline(Readable.from(cutAtRandom(bytes, 3, 50_000)), a)),
      t.wait('pipeline() out of b', pipeline(b, collect(chunks))),
    ]);
    assert.equal(sha256(chunks), sha256(bytes));
  });

  it('pipeline() rejects with the error of a source, and destroys the connection', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(b);
    b.resume();
    const source = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('some');
      await Promise.resolve();
      throw new Error('the source broke');
    };
    await assert.rejects(t.wait('pipeline()', pipeline(source, a)), {
      message: 'the source broke',
    });
    assert.equal(a.destroyed, true);
    await recording.closed;
  });

  it('pipeline() rejects when the peer cuts the connection', ['reset'], async (t) => {
    const { a, b } = await t.connected();
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
    });
    b.once('data', () => b.resetAndDestroy());
    await assert.rejects(t.wait('pipeline()', pipeline(endless, a)), {
      code: /^(ECONNRESET|EPIPE)$/,
    });
    assert.equal(endless.destroyed, true);
  });

  it('finished() resolves after an orderly end', async (t) => {
    const { a, b } = await t.connected();
    b.resume();
    a.resume();
    const bothDone = Promise.all([finished(a), finished(b)]);
    a.end('x');
    await t.wait('finished() of both', bothDone);
  });

  it('finished() rejects after a reset', ['reset'], async (t) => {
    const { a, b } = await t.connected();
    b.resume();
    const outcome = finished(b);
    a.resetAndDestroy();
    await assert.rejects(t.wait('finished() of b', outcome), { code: 'ECONNRESET' });
  });

  it('finished() rejects after destroy()', async (t) => {
    const { a } = await t.connected();
    const outcome = finished(a);
    a.destroy();
    await assert.rejects(t.wait('finished() of a', outcome), {
      code: 'ERR_STREAM_PREMATURE_CLOSE',
    });
  });

  it('pipe() ends its target with its source', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(4, SIZE);
    Readable.from(cutAtRandom(bytes, 5, 9_000)).pipe(a);
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
  });

  it("reading with 'readable' and read() gives every byte", async (t) => {
    const { a, b } = await t.connected();
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
    await t.next(b, 'end');
    assert.equal(sha256(chunks), sha256(bytes));
  });
});
