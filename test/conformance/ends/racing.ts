import { describe, expect, test } from 'vitest';

import { readExactly } from '../../support/reading.ts';
import { schedules } from '../../support/schedules.ts';
import { connected, type End, type Subject } from '../subject.ts';

const WRITERS = 40;
const RECORDS = 50;
const HEADER = 6;

/**
 * A record says who wrote it, as which of his, and how many bytes (each of them the writer's
 * number) follow.
 */
function recordOf(writer: number, sequence: number): Buffer {
  const length = (writer * 7_919 + sequence * 104_729) % 3_000;
  const bytes = Buffer.alloc(HEADER + length, writer);
  bytes.writeUInt16BE(writer, 0);
  bytes.writeUInt16BE(sequence, 2);
  bytes.writeUInt16BE(length, 4);
  return bytes;
}

/** Starts every writer, each at the moments of its own kind. */
function startWriters(end: End): void {
  const kinds = Object.values(schedules);
  for (let writer = 0; writer < WRITERS; writer++) {
    const later = kinds[writer % kinds.length];
    const write = (sequence: number): void => {
      if (sequence === RECORDS) return;
      end.write(recordOf(writer, sequence));
      later?.(() => {
        write(sequence + 1);
      });
    };
    write(0);
  }
}

/** Reads all the records. Returns the numbers of each writer's in the order they came. */
async function readRecords(end: End): Promise<Map<number, number[]>> {
  const came = new Map<number, number[]>();
  for (let i = 0; i < WRITERS * RECORDS; i++) {
    const header = await readExactly(end, HEADER);
    const writer = header.readUInt16BE(0);
    const body = await readExactly(end, header.readUInt16BE(4));
    if (!body.every((byte) => byte === writer))
      throw new Error(`a record of ${String(writer)} is mixed`);
    came.set(writer, [...(came.get(writer) ?? []), header.readUInt16BE(2)]);
  }
  return came;
}

function expectEveryRecordInOrder(came: Map<number, number[]>): void {
  const inOrder = Array.from({ length: RECORDS }, (_, i) => i);
  expect(came.size).toBe(WRITERS);
  for (const sequence of came.values()) expect(sequence).toEqual(inOrder);
}

/** Many writers and readers at once, from every kind of turn of the event loop. */
export function racing(subject: Subject): void {
  describe('racing reads and writes', () => {
    test('each of many writers keeps its order, and no write is torn', async () => {
      const { a, b } = await connected(subject);
      const came = readRecords(b);
      startWriters(a);
      expectEveryRecordInOrder(await came);
    });

    test('both directions race and do not disturb each other', async () => {
      const { a, b } = await connected(subject);
      const cameAtA = readRecords(a);
      const cameAtB = readRecords(b);
      startWriters(a);
      startWriters(b);
      expectEveryRecordInOrder(await cameAtA);
      expectEveryRecordInOrder(await cameAtB);
    });

    test('the end comes after everything that raced before it', async () => {
      const { a, b } = await connected(subject);
      const came = readRecords(b);
      startWriters(a);
      await came;
      const ended = new Promise((resolve) => b.once('end', resolve));
      a.end();
      b.resume();
      await ended;
      expect(b.bytesRead).toBe(a.bytesWritten);
    });

    test('a reader that pauses and resumes at random loses nothing', async () => {
      const { a, b } = await connected(subject);
      let bytes = 0;
      const all = new Promise<void>((resolve) => {
        b.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          b.pause();
          const later = Object.values(schedules)[bytes % 4];
          later?.(() => b.resume());
          if (bytes === 4_000_000) resolve();
        });
      });
      for (let i = 0; i < 400; i++) a.write(Buffer.alloc(10_000, i));
      await all;
      expect(b.bytesRead).toBe(4_000_000);
    });
  });
}
