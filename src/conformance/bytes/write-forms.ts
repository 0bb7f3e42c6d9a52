import assert from 'node:assert/strict';

import { assertBytesRead, assertBytesWritten } from '../frame/assertions.ts';
import { bytesOf } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';

const TEXT = 'Grüße, 世界, Ω, 🦊 ';

/** Whatever form bytes are written in, and whatever form they are read in. */
export const writeForms = group('forms of writing and reading', [], (it) => {
  it('strings are written in their encoding', async (t) => {
    const { a, b } = await t.connected();
    a.write(TEXT);
    a.write('c0ffee', 'hex');
    a.write('aGVsbG8=', 'base64');
    a.write('ÿ', 'latin1');
    a.end('wide', 'utf16le');
    const expected = Buffer.concat([
      Buffer.from(TEXT),
      Buffer.from('c0ffee', 'hex'),
      Buffer.from('hello'),
      Buffer.of(0xff),
      Buffer.from('wide', 'utf16le'),
    ]);
    assert.deepEqual(await t.readAll(b), expected);
  });

  it('setDefaultEncoding() is for the strings that follow', async (t) => {
    const { a, b } = await t.connected();
    a.setDefaultEncoding('hex');
    a.end('00ff');
    assert.deepEqual(await t.readAll(b), Buffer.of(0, 0xff));
  });

  it('a Uint8Array is written as the bytes that it shows', async (t) => {
    const { a, b } = await t.connected();
    const memory = new Uint8Array([1, 2, 3, 4, 5, 6]);
    a.write(memory.subarray(1, 3));
    a.end(new Uint8Array(memory.buffer, 4, 2));
    assert.deepEqual([...(await t.readAll(b))], [2, 3, 5, 6]);
  });

  it('what is no bytes is refused, and the connection goes on', async (t) => {
    const { a, b } = await t.connected();
    for (const wrong of [undefined, 7, {}, [1]]) {
      assert.throws(() => a.write(wrong as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    a.write('fine');
    assert.equal((await t.readExactly(b, 4)).toString(), 'fine');
  });

  it('empty writes send nothing, and their callbacks come in their turn', async (t) => {
    const { a, b } = await t.connected();
    const order: string[] = [];
    a.write('', () => order.push('empty string'));
    a.write('x', () => order.push('x'));
    a.write(Buffer.alloc(0), () => order.push('empty buffer'));
    a.write(new Uint8Array(0));
    await t.written(a, 'y');
    assert.deepEqual(order, ['empty string', 'x', 'empty buffer']);
    a.end(Buffer.alloc(0));
    assert.equal((await t.readAll(b)).toString(), 'xy');
    assertBytesWritten(t, a, 2);
  });

  it('an empty write alone neither ends nor disturbs the other end', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(b);
    b.resume();
    await t.written(a, '');
    await t.turns(20);
    assert.deepEqual(recording.names, []);
    const received = t.readExactly(a, 2);
    b.write('ok');
    assert.equal((await received).toString(), 'ok');
  });

  it('each write has its callback once, in the order of the writes', async (t) => {
    const { a, b } = await t.connected();
    const order: number[] = [];
    b.resume();
    for (let i = 0; i < 300; i++) a.write(bytesOf(i, (i * 997) % 20_000), () => order.push(i));
    await t.ended(a);
    assert.deepEqual(
      order,
      Array.from({ length: 300 }, (_, i) => i),
    );
  });

  it('the callback of a write comes in every form in which it can be given', async (t) => {
    const { a, b } = await t.connected();
    b.resume();
    const write = a.write.bind(a) as (...args: unknown[]) => boolean;
    const forms: readonly (readonly unknown[])[] = [[], ['latin1'], [undefined], [null]];
    await Promise.all(
      forms.map((form) =>
        t.until('the callback of a write()', (resolve) => {
          write('x', ...form, resolve);
        }),
      ),
    );
    for (const form of [
      [undefined],
      [null],
      [undefined, undefined],
      ['utf8', undefined],
      ['utf8', null],
    ]) {
      write('x', ...form);
    }
    await t.until('the callback of end()', (resolve) => {
      a.end('x', undefined as never, resolve);
    });
  });

  it('what is corked leaves when it is uncorked, in order', async (t) => {
    const { a, b } = await t.connected();
    a.cork();
    a.write('one ');
    a.cork();
    a.write('two ');
    a.uncork();
    const received = t.readAll(b);
    let early = 0;
    b.on('data', () => early++);
    await t.turns(10);
    assert.deepEqual([a.writableCorked, early], [1, 0]);
    assertBytesRead(t, b, 0);
    a.uncork();
    a.end('three');
    assert.equal((await received).toString(), 'one two three');
  });

  it('end() sends what is corked', async (t) => {
    const { a, b } = await t.connected();
    a.cork();
    a.write('corked, ');
    a.end('ended');
    assert.equal((await t.readAll(b)).toString(), 'corked, ended');
  });

  it('cork() in the turn of a write keeps back only what follows it', async (t) => {
    const { a, b } = await t.connected();
    a.write('before');
    a.cork();
    a.write(' after');
    assert.equal((await t.readExactly(b, 6)).toString(), 'before');
    a.uncork();
    assert.equal((await t.readExactly(b, 6)).toString(), ' after');
  });

  it('setEncoding() gives whole characters, wherever they were cut', async (t) => {
    const { a, b } = await t.connected();
    const bytes = Buffer.from(TEXT.repeat(20));
    const pieces: unknown[] = [];
    b.setEncoding('utf8').on('data', (piece: unknown) => pieces.push(piece));
    for (const byte of bytes) {
      a.write(Buffer.of(byte));
      await t.turns(1);
    }
    a.end();
    await t.next(b, 'end');
    assert.equal(
      pieces.every((piece) => typeof piece === 'string'),
      true,
    );
    assert.equal(pieces.join(''), TEXT.repeat(20));
    assertBytesRead(t, b, bytes.length);
  });

  it('unshift() puts bytes back in front of those that follow', async (t) => {
    const { a, b } = await t.connected();
    a.write('header');
    const header = await t.readExactly(b, 6);
    b.unshift(header.subarray(4));
    a.end(' body');
    assert.equal((await t.readAll(b)).toString(), 'er body');
  });
});
