import { execFile } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

import { join } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { meetRaw, ROLES } from '../support/pairs/meet.ts';
import { BINARY, CLOSE, closePayload, frame } from '../support/peers/frames.ts';

const COUNT = 500;

/** So many messages of one byte, and maybe a Close behind them, in one piece. */
function tiny(masked: boolean, close?: number): Buffer {
  const frames = Array.from({ length: COUNT }, (_, i) =>
    frame(BINARY, Buffer.of(i & 0xff), { masked }),
  );
  if (close !== undefined) frames.push(frame(CLOSE, closePayload(close), { masked }));
  return Buffer.concat(frames);
}

/** A stream that counts the writes which reach it. */
class Sink extends Duplex {
  readonly writes: number[] = [];
  override _read(): void {
    // Nothing comes from it.
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.writes.push(chunk.length);
    callback();
  }
  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: () => void): void {
    this.writes.push(chunks.reduce((sum, { chunk }) => sum + chunk.length, 0));
    callback();
  }
}

describe.each(ROLES)('messages of one byte to a %s', (role) => {
  const masked = role === 'server';

  test('that come in one turn are one chunk, in order', async () => {
    const { adapter, peer } = await meetRaw(role);
    const chunks: Buffer[] = [];
    adapter.on('data', (chunk: Buffer) => chunks.push(chunk));
    peer.socket.write(tiny(masked));
    await next(adapter, 'data');
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.from(Array.from({ length: COUNT }, (_, i) => i & 0xff)),
    );
    expect(chunks).toHaveLength(1);
  });

  test('leave a join in one write a turn, whatever the sizes', async () => {
    const { adapter, peer } = await meetRaw(role);
    const sink = new Sink();
    const joined = join(adapter, sink);
    peer.socket.write(
      Buffer.concat([tiny(masked), frame(BINARY, Buffer.alloc(5_000), { masked }), tiny(masked)]),
    );
    await next(adapter, 'data');
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.writes).toEqual([2 * COUNT + 5_000]);
    sink.destroy();
    await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('are all there before the end, and before the error, that comes in the same turn', async () => {
    for (const [code, names] of [
      [1000, ['end', 'finish', 'close']],
      [1011, ['error', 'close']],
    ] as const) {
      const { adapter, peer } = await meetRaw(role);
      const recording = record(adapter);
      let got = 0;
      adapter.on('data', (chunk: Buffer) => {
        expect(recording.names).toEqual([]);
        got += chunk.length;
      });
      peer.socket.end(tiny(masked, code));
      await recording.closed;
      expect(got).toBe(COUNT);
      expect(recording.names).toEqual(names);
    }
  });

  test('are all there before a bad frame fails the connection in the same turn', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter);
    let got = 0;
    adapter.on('data', (chunk: Buffer) => (got += chunk.length));
    peer.socket.end(
      Buffer.concat([tiny(masked), frame(BINARY, Buffer.of(0), { masked, reserved: 7 })]),
    );
    await recording.closed;
    expect(got).toBe(COUNT);
    expect(recording.errors[0]).toMatchObject({ code: 'EPROTO' });
  });

  test('cost a reader that is held back memory for their bytes, and not an object each', async () => {
    const child = fileURLToPath(
      new URL('../support/children/tiny-messages-child.ts', import.meta.url),
    );
    const args = ['--expose-gc', '--import', 'tsx', child, role];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { heap, outside, paused } = JSON.parse(stdout) as Record<string, number>;
    expect(paused).toBe(1);
    // 64 KiB wait; one Buffer a byte took 10 MB and more.
    expect(heap).toBeLessThan(1_000_000);
    expect(outside).toBeLessThan(1_000_000);
  });
});
