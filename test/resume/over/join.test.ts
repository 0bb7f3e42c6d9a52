import type net from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { join, type ResumableSocket } from '../../../src/index.ts';
import { next, record } from '../../support/events.ts';
import { tcpPair } from '../../support/pairs/pairs.ts';
import {
  resumablePair,
  type ResumablePair,
  type ResumablePairOptions,
} from '../../support/pairs/resumable-pair.ts';
import { readAll } from '../../support/reading.ts';

const MIB = 1024 * 1024;

interface Chain {
  readonly pair: ResumablePair;
  /** The end of the connection that outlives its WebSocket. */
  readonly left: ResumableSocket;
  /** Its other end, and an end of a TCP connection: those to join. */
  readonly a: ResumableSocket;
  readonly b: net.Socket;
  readonly right: net.Socket;
}

async function chain(options: ResumablePairOptions = {}): Promise<Chain> {
  const pair = await resumablePair({ allowHalfOpen: true, ...options });
  const tcp = await tcpPair({ allowHalfOpen: true });
  for (const end of [pair.a, pair.b, tcp.a, tcp.b]) end.on('error', () => undefined);
  onTestFinished(async () => {
    await Promise.all([pair.stop(), tcp.stop()]);
  });
  return { pair, left: pair.a, a: pair.b, b: tcp.a, right: tcp.b };
}

/** Waits until a count moves no more. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('joining a connection that outlives its WebSocket with TCP', () => {
  test('carries both directions over a path that is cut, each with its own end', async () => {
    const { pair, left, a, b, right } = await chain();
    const joined = join(a, b);
    pair.cutEvery(MIB);
    const [there, back] = [bytesOf(1, 4 * MIB), bytesOf(2, 4 * MIB)];
    left.end(there);
    expect(sha256(await readAll(right))).toBe(sha256(there));
    expect(left.readableEnded).toBe(false);
    right.end(back);
    expect(sha256(await readAll(left))).toBe(sha256(back));
    await expect(joined).resolves.toBeUndefined();
    expect(pair.lost()).toBeGreaterThan(2);
  });

  test('passes a reset on as a reset, and rejects with it', async () => {
    const { left, a, b, right } = await chain();
    const far = record(right.resume());
    const joined = join(a, b);
    left.write('some bytes');
    await next(right, 'data');
    left.resetAndDestroy();
    await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET' });
    await far.closed;
    expect(far.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(far.count('end')).toBe(0);
  });

  test('a reset of the TCP side is said to the other end, also while there is no path', async () => {
    const { pair, left, a, b, right } = await chain();
    const far = record(left.resume());
    const joined = join(a, b);
    const lost = next(left, 'disconnect');
    await pair.down();
    await lost;
    right.resetAndDestroy();
    await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET' });
    await pair.up();
    await far.closed;
    expect(far.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(far.count('end')).toBe(0);
  });

  test('holds the writer when nobody reads at the far end, also over a cut, and loses nothing', async () => {
    const window = 256 * 1024;
    const { pair, left, a, b, right } = await chain({ resume: { window } });
    const joined = join(a, b);
    const bytes = bytesOf(3, 48 * MIB);
    let sent = false;
    left.end(bytes, () => {
      sent = true;
    });
    await settled(() => a.bytesRead);
    const back = next(left, 'reconnect');
    pair.cut();
    await back;
    await settled(() => a.bytesRead);
    expect(sent).toBe(false);
    expect(a.bytesRead - b.bytesWritten).toBeLessThanOrEqual(window);
    expect(a.readableLength + b.writableLength).toBeLessThanOrEqual(MIB);
    const received = readAll(right);
    right.end();
    left.resume();
    expect(sha256(await received)).toBe(sha256(bytes));
    await expect(joined).resolves.toBeUndefined();
  });

  test('holds a fast TCP peer while there is no path', async () => {
    const window = 256 * 1024;
    const { pair, left, a, b, right } = await chain({ resume: { window } });
    const joined = join(a, b);
    const lost = next(left, 'disconnect');
    await pair.down();
    await lost;
    const bytes = bytesOf(4, 48 * MIB);
    right.end(bytes);
    await settled(() => b.bytesRead);
    expect(b.bytesRead).toBeLessThan(MIB);
    expect(a.writableLength).toBeLessThan(MIB);
    await pair.up();
    const received = readAll(left);
    left.end();
    expect(sha256(await received)).toBe(sha256(bytes));
    await expect(joined).resolves.toBeUndefined();
  });
});
