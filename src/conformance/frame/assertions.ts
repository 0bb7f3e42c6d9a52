import assert from 'node:assert/strict';

import type { Recording } from './recording.ts';
import type { End } from './subject.ts';
import type { Trial } from './trial.ts';

export function assertBelow(actual: number, limit: number): void {
  assert.ok(actual < limit, `${String(actual)} is not below ${String(limit)}`);
}

export function assertAtMost(actual: number, most: number): void {
  assert.ok(actual <= most, `${String(actual)} is more than ${String(most)}`);
}

export function assertAbove(actual: number, least: number): void {
  assert.ok(actual > least, `${String(actual)} is not above ${String(least)}`);
}

export function assertIncludes(list: readonly unknown[], item: unknown): void {
  assert.ok(list.includes(item), `${shown(item)} is not among ${shown(list)}`);
}

export function assertExcludes(list: readonly unknown[], item: unknown): void {
  assert.ok(!list.includes(item), `${shown(item)} is among ${shown(list)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

/** Asserts that an error has a code. */
export function assertCode(error: unknown, ...codes: readonly string[]): void {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  assert.ok(
    codes.includes(String(code)),
    `expected an error of code ${codes.join(' or ')}: ${String(error)} (${String(code)})`,
  );
}

/** What 'close' says of an error is right. Streams that are no sockets say nothing, which they may. */
export function assertHadError(t: Trial, recording: Recording, had: boolean): void {
  if (recording.hadError === undefined && !t.claims('face')) return;
  assert.equal(recording.hadError, had, "what 'close' says of an error");
}

/** Every ending is at most one error and then exactly one 'close', which reports it. */
export function assertOneClose(t: Trial, recording: Recording): void {
  assert.equal(recording.count('close'), 1, `it closed once: ${recording.names.join(', ')}`);
  assert.equal(recording.names.at(-1), 'close', "'close' is the last event");
  assertAtMost(recording.errors.length, 1);
  assertHadError(t, recording, recording.errors.length === 1);
}

/** It ended without an error. */
export function assertNoErrors(t: Trial, ...recordings: readonly Recording[]): void {
  for (const recording of recordings) {
    assert.deepEqual(recording.errors, []);
    assertHadError(t, recording, false);
  }
}

/** The count of bytes is right. Streams that are no sockets do not count, which they may. */
export function assertBytesRead(t: Trial, end: End, bytes: number): void {
  if ((end.bytesRead as number | undefined) === undefined && !t.claims('face')) return;
  assert.equal(end.bytesRead, bytes, 'bytesRead');
}

/** Like `assertBytesRead()`, for what was written. */
export function assertBytesWritten(t: Trial, end: End, bytes: number): void {
  if ((end.bytesWritten as number | undefined) === undefined && !t.claims('face')) return;
  assert.equal(end.bytesWritten, bytes, 'bytesWritten');
}
