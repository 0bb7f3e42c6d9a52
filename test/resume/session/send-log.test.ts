import { expect, test } from 'vitest';

import { SendLog } from '../../../src/resume/session/send-log.ts';
import { decode, type Progress } from '../../../src/resume/wire/message.ts';
import { bytesAt } from '../../stress/pattern.ts';
import { runOf } from '../../support/run-of.ts';

/** Bytes of data that the largest message of these logs has. */
const MOST = 100;

function makeLog(...sizes: number[]): SendLog {
  const log = new SendLog(MOST);
  for (const size of sizes) log.append(runOf(bytesAt(log.end, size)), size);
  return log;
}

/** Returns the bytes of the messages from a number on, one after another. */
function messagesFrom(log: SendLog, start: number, progress: Progress | null = null): Buffer[] {
  const found: Buffer[] = [];
  let at = start;
  for (let one = log.messageFrom(at, progress); one; one = log.messageFrom(at, progress)) {
    const message = decode(one.message);
    if (typeof message === 'string' || message.type !== 'data') throw new Error('no data');
    expect(message.progress).toEqual(progress);
    expect(one.next - at).toBe(message.bytes.length);
    found.push(message.bytes);
    at = one.next;
  }
  return found;
}

test('an empty log has no message', () => {
  expect(makeLog().messageFrom(0, null)).toBeNull();
});

test('small writes leave as one message, and large ones as several', () => {
  expect(messagesFrom(makeLog(1, 2, 3), 0)).toEqual([bytesAt(0, 6)]);
  const sizes = messagesFrom(makeLog(2 * MOST + 1), 0).map(({ length }) => length);
  expect(sizes).toEqual([MOST, MOST, 1]);
});

test('what is written behind a message that was sent becomes another', () => {
  const log = makeLog(5);
  expect(messagesFrom(log, 0)).toHaveLength(1);
  log.append(runOf(bytesAt(5, 5)), 5);
  expect(messagesFrom(log, 5)).toEqual([bytesAt(5, 5)]);
});

test('each number is a place to go on from, with an acknowledgement and without', () => {
  const progress = { received: 2 ** 53 - 1, consumed: 2 ** 40 };
  for (const told of [null, progress]) {
    for (let start = 0; start <= 250; start++) {
      const log = makeLog(250);
      messagesFrom(log, 0);
      expect(Buffer.concat(messagesFrom(log, start, told))).toEqual(bytesAt(start, 250 - start));
    }
  }
});

test('a message that is made again leaves the one before it as it was', () => {
  const log = makeLog(50);
  const first = log.messageFrom(0, null)?.message;
  const before = Buffer.from(first ?? []);
  log.messageFrom(0, { received: 300, consumed: 300 });
  log.messageFrom(20, { received: 300, consumed: 300 });
  expect(first).toEqual(before);
});

test('what is acknowledged is kept no longer', () => {
  const log = makeLog(250);
  log.acknowledge(120);
  expect({ length: log.length, acked: log.acked, end: log.end }).toEqual({
    length: 130,
    acked: 120,
    end: 250,
  });
  expect(Buffer.concat(messagesFrom(log, 120))).toEqual(bytesAt(120, 130));
  log.acknowledge(100);
  expect(log.acked).toBe(120);
  log.acknowledge(251);
  expect({ length: log.length, acked: log.acked }).toEqual({ length: 0, acked: 250 });
  expect(log.messageFrom(250, null)).toBeNull();
});

test('a log that was cleared goes on behind what it had', () => {
  const log = makeLog(10);
  log.clear();
  expect({ length: log.length, end: log.end }).toEqual({ length: 0, end: 10 });
});

test('tiny messages that nobody acknowledges take memory in proportion to their bytes', () => {
  const log = new SendLog(65_536);
  const before = process.memoryUsage().arrayBuffers;
  for (let at = 0; at < 100_000; at++) {
    log.append(runOf(bytesAt(at, 1)), 1);
    log.messageFrom(at, null);
  }
  globalThis.gc?.();
  // The machine frees what was merged when it pleases; a block for each would be 100 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  expect(Buffer.concat(bytesOf(log))).toEqual(bytesAt(0, 100_000));
});

function bytesOf(log: SendLog): Buffer[] {
  return messagesFrom(log, log.acked);
}

test('of tiny messages that were sent and merged, each number is a place to go on from', () => {
  const log = makeLog();
  for (let at = 0; at < 250; at++) {
    log.append(runOf(bytesAt(at, 1)), 1);
    log.messageFrom(at, null);
  }
  log.acknowledge(3);
  for (let start = 3; start <= 250; start++) {
    expect(Buffer.concat(messagesFrom(log, start))).toEqual(bytesAt(start, 250 - start));
  }
  expect(messagesFrom(log, 3).length).toBeLessThan(12);
});

/** Takes what is written next as one whole message, and returns its memory. */
function nextMessage(log: SendLog): Buffer {
  const start = log.end;
  log.append(runOf(bytesAt(start, MOST)), MOST);
  return log.messageFrom(start, null)?.message ?? Buffer.alloc(0);
}

/** Whether two messages of one size lie in the same memory. */
function sharesMemory(one: Buffer, other: Buffer): boolean {
  return one.buffer === other.buffer && one.byteOffset === other.byteOffset;
}

test('what has arrived gives its memory to what is written next', () => {
  const log = new SendLog(MOST);
  const first = nextMessage(log);
  nextMessage(log);
  log.acknowledge(MOST);
  expect(sharesMemory(nextMessage(log), first)).toBe(true);
  expect(messagesFrom(log, MOST)).toEqual([bytesAt(MOST, MOST), bytesAt(2 * MOST, MOST)]);
});

test('memory that another WebSocket was handed is left alone, whichever has brought it', () => {
  const log = new SendLog(MOST);
  const first = nextMessage(log);
  const sent = Buffer.from(first);
  nextMessage(log);
  log.changeCarrier();
  expect(messagesFrom(log, 0)).toHaveLength(2);
  log.acknowledge(MOST);
  nextMessage(log);
  nextMessage(log);
  expect(first).toEqual(sent);
});

test('a log that is empty keeps no memory to write over', () => {
  const log = new SendLog(MOST);
  const first = nextMessage(log);
  log.acknowledge(MOST);
  expect(sharesMemory(nextMessage(log), first)).toBe(false);
});
