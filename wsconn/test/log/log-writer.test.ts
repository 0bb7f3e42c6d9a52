import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { LogWriter } from '../../src/log/log-writer.ts';

/** A place to write to that takes so many bytes, and then fails with a code. */
class Place {
  text = '';
  room = Infinity;
  code = 'EAGAIN';

  readonly write = (bytes: Buffer): number => {
    const taken = Math.min(bytes.length, this.room);
    if (taken === 0) throw Object.assign(new Error(this.code), { code: this.code });
    this.room -= taken;
    this.text += bytes.toString('latin1', 0, taken);
    return taken;
  };
}

let place: Place;
let writer: LogWriter;

beforeEach(() => {
  place = new Place();
  writer = new LogWriter(place.write);
});

test('writes a line at once', () => {
  writer.line('one');
  expect(place.text).toBe('one\n');
});

describe('to a reader who does not read just now', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('keeps lines, and writes them in order when he reads again', async () => {
    place.room = 5;
    writer.line('first');
    writer.line('second');
    expect(place.text).toBe('first');
    const flushed = writer.flushed();
    place.room = Infinity;
    await vi.advanceTimersByTimeAsync(100);
    await flushed;
    expect(place.text).toBe('first\nsecond\n');
  });

  test('keeps a bounded number of bytes, and tells later how many lines it left out', async () => {
    place.room = 0;
    const line = 'x'.repeat(1023);
    for (let n = 0; n < 1500; n++) writer.line(line);
    place.room = Infinity;
    const flushed = writer.flushed();
    await vi.advanceTimersByTimeAsync(100);
    await flushed;
    const lines = place.text.trimEnd().split('\n');
    expect(lines).toHaveLength(1025);
    expect(lines.at(-1)).toBe('wsconn: 476 lines of this log could not be written');
  });

  test('does not wait for ever when the process ends', async () => {
    place.room = 0;
    writer.line('lost');
    const flushed = writer.flushed();
    await vi.advanceTimersByTimeAsync(2_000);
    await flushed;
    expect(place.text).toBe('');
  });
});

test('tells after a full disk how many lines it could not write', () => {
  place.room = 0;
  place.code = 'ENOSPC';
  writer.note = (text) => `noted: ${text}`;
  writer.line('one');
  writer.line('two');
  writer.line('three');
  writer.line('four');
  place.room = Infinity;
  writer.line('five');
  expect(place.text).toBe('noted: 4 lines of this log could not be written\nfive\n');
});

test('tries no more when its reader is gone', async () => {
  const write = vi.fn(() => {
    throw Object.assign(new Error('EPIPE'), { code: 'EPIPE' });
  });
  const gone = new LogWriter(write);
  gone.line('one');
  gone.line('two');
  await gone.flushed();
  expect(write).toHaveBeenCalledTimes(1);
});
