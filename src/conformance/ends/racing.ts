import assert from 'node:assert/strict';

import { assertBytesRead } from '../frame/assertions.ts';
import { group } from '../frame/group.ts';
import { schedules } from '../frame/schedules.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

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
async function readRecords(t: Trial, end: End): Promise<Map<number, number[]>> {
  const came = new Map<number, number[]>();
  for (let i = 0; i < WRITERS * RECORDS; i++) {
    const header = await t.readExactly(end, HEADER);
    const writer = header.readUInt16BE(0);
    const body = await t.readExactly(end, header.readUInt16BE(4));
    if (!body.every((byte) => byte === writer))
      throw new Error(`a record of ${String(writer)} is mixed`);
    came.set(writer, [...(came.get(writer) ?? []), header.readUInt16BE(2)]);
  }
  return came;
}

function assertEveryRecordInOrder(came: Map<number, number[]>): void {
  const inOrder = Array.from({ length: RECORDS }, (_, i) => i);
  assert.equal(came.size, WRITERS);
  for (const sequence of came.values()) assert.deepEqual(sequence, inOrder);
}

/** Many writers and readers at once, from every kind of turn of the event loop. */
export const racing = group('racing reads and writes', [], (it) => {
  it('each of many writers keeps its order, and no write is torn', async (t) => {
    const { a, b } = await t.connected();
    const came = readRecords(t, b);
    startWriters(a);
    assertEveryRecordInOrder(await came);
  });

  it('both directions race and do not disturb each other', async (t) => {
    const { a, b } = await t.connected();
    const cameAtA = readRecords(t, a);
    const cameAtB = readRecords(t, b);
    startWriters(a);
    startWriters(b);
    assertEveryRecordInOrder(await cameAtA);
    assertEveryRecordInOrder(await cameAtB);
  });

  it('the end comes after everything that raced before it', async (t) => {
    const { a, b } = await t.connected();
    const came = readRecords(t, b);
    startWriters(a);
    assertEveryRecordInOrder(await came);
    let more = 0;
    b.on('data', () => more++);
    const ended = t.next(b, 'end');
    a.end();
    b.resume();
    await ended;
    assert.equal(more, 0);
    assertBytesRead(t, b, a.bytesWritten);
  });

  it('a reader that pauses and resumes at random loses nothing', async (t) => {
    const { a, b } = await t.connected();
    let bytes = 0;
    const all = t.until(
      () => `4000000 bytes at b (${String(bytes)} came)`,
      (resolve) => {
        b.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          b.pause();
          const later = Object.values(schedules)[bytes % 4];
          later?.(() => b.resume());
          if (bytes === 4_000_000) resolve();
        });
      },
    );
    for (let i = 0; i < 400; i++) a.write(Buffer.alloc(10_000, i));
    await all;
    assertBytesRead(t, b, 4_000_000);
  });
});
