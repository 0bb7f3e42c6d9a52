import { describe, expect, test } from 'vitest';

import { bytesOf } from '../../support/bytes.ts';
import { record, turns } from '../../support/events.ts';
import { readAll, readExactly } from '../../support/reading.ts';
import { connected, type Subject } from '../subject.ts';

const TEXT = 'Grüße, 世界, Ω, 🦊 ';

/** Whatever form bytes are written in, and whatever form they are read in. */
export function writeForms(subject: Subject): void {
  describe('forms of writing and reading', () => {
    test('strings are written in their encoding', async () => {
      const { a, b } = await connected(subject);
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
      expect(await readAll(b)).toEqual(expected);
    });

    test('setDefaultEncoding() is for the strings that follow', async () => {
      const { a, b } = await connected(subject);
      a.setDefaultEncoding('hex');
      a.end('00ff');
      expect(await readAll(b)).toEqual(Buffer.of(0, 0xff));
    });

    test('a Uint8Array is written as the bytes that it shows', async () => {
      const { a, b } = await connected(subject);
      const memory = new Uint8Array([1, 2, 3, 4, 5, 6]);
      a.write(memory.subarray(1, 3));
      a.end(new Uint8Array(memory.buffer, 4, 2));
      expect([...(await readAll(b))]).toEqual([2, 3, 5, 6]);
    });

    test('what is no bytes is refused, and the connection goes on', async () => {
      const { a, b } = await connected(subject);
      for (const wrong of [undefined, 7, {}, [1]]) {
        expect(() => a.write(wrong as unknown as string)).toThrow(
          expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
        );
      }
      a.write('fine');
      expect((await readExactly(b, 4)).toString()).toBe('fine');
    });

    test('empty writes send nothing, and their callbacks come in their turn', async () => {
      const { a, b } = await connected(subject);
      const order: string[] = [];
      a.write('', () => order.push('empty string'));
      a.write('x', () => order.push('x'));
      a.write(Buffer.alloc(0), () => order.push('empty buffer'));
      a.write(new Uint8Array(0));
      await new Promise((resolve) => a.write('y', resolve));
      expect(order).toEqual(['empty string', 'x', 'empty buffer']);
      a.end(Buffer.alloc(0));
      expect((await readAll(b)).toString()).toBe('xy');
      expect(a.bytesWritten).toBe(2);
    });

    test('an empty write alone neither ends nor disturbs the other end', async () => {
      const { a, b } = await connected(subject);
      const recording = record(b);
      b.resume();
      await new Promise((resolve) => a.write('', resolve));
      await turns(20);
      expect(recording.names).toEqual([]);
      const received = readExactly(a, 2);
      b.write('ok');
      expect((await received).toString()).toBe('ok');
    });

    test('each write has its callback once, in the order of the writes', async () => {
      const { a, b } = await connected(subject);
      const order: number[] = [];
      b.resume();
      for (let i = 0; i < 300; i++) a.write(bytesOf(i, (i * 997) % 20_000), () => order.push(i));
      await new Promise<void>((resolve) => a.end(resolve));
      expect(order).toEqual(Array.from({ length: 300 }, (_, i) => i));
    });

    test('the callback of a write comes in every form in which it can be given', async () => {
      const { a, b } = await connected(subject);
      b.resume();
      const write = a.write.bind(a) as (...args: unknown[]) => boolean;
      const forms: readonly (readonly unknown[])[] = [[], ['latin1'], [undefined], [null]];
      await Promise.all(
        forms.map((form) => new Promise((resolve) => write('x', ...form, resolve))),
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
      await new Promise((resolve) => a.end('x', undefined as never, resolve as () => void));
    });

    test('what is corked leaves when it is uncorked, in order', async () => {
      const { a, b } = await connected(subject);
      a.cork();
      a.write('one ');
      a.cork();
      a.write('two ');
      a.uncork();
      await turns(10);
      expect([a.writableCorked, b.bytesRead]).toEqual([1, 0]);
      a.uncork();
      a.end('three');
      expect((await readAll(b)).toString()).toBe('one two three');
    });

    test('end() sends what is corked', async () => {
      const { a, b } = await connected(subject);
      a.cork();
      a.write('corked, ');
      a.end('ended');
      expect((await readAll(b)).toString()).toBe('corked, ended');
    });

    test('cork() in the turn of a write keeps back only what follows it', async () => {
      const { a, b } = await connected(subject);
      a.write('before');
      a.cork();
      a.write(' after');
      expect((await readExactly(b, 6)).toString()).toBe('before');
      a.uncork();
      expect((await readExactly(b, 6)).toString()).toBe(' after');
    });

    test('setEncoding() gives whole characters, wherever they were cut', async () => {
      const { a, b } = await connected(subject);
      const bytes = Buffer.from(TEXT.repeat(20));
      const pieces: unknown[] = [];
      b.setEncoding('utf8').on('data', (piece: unknown) => pieces.push(piece));
      for (const byte of bytes) {
        a.write(Buffer.of(byte));
        await turns(1);
      }
      a.end();
      await new Promise((resolve) => b.once('end', resolve));
      expect(pieces.every((piece) => typeof piece === 'string')).toBe(true);
      expect(pieces.join('')).toBe(TEXT.repeat(20));
      expect(b.bytesRead).toBe(bytes.length);
    });

    test('unshift() puts bytes back in front of those that follow', async () => {
      const { a, b } = await connected(subject);
      a.write('header');
      const header = await readExactly(b, 6);
      b.unshift(header.subarray(4));
      a.end(' body');
      expect((await readAll(b)).toString()).toBe('er body');
    });
  });
}
