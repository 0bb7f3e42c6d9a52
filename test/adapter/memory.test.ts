import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import { BINARY } from '../support/peers/frames.ts';
import { rawServer } from '../support/peers/raw-peer.ts';

const MIB = 1024 * 1024;
const HIGH_WATER_MARK = 65_536;
const child = fileURLToPath(new URL('../support/children/memory-child.ts', import.meta.url));

interface Figures {
  /** Bytes more than before the task. */
  readonly held: number;
  readonly queued: number;
  readonly unread: number;
  readonly unsent: number;
  readonly written: number;
}

/** Has a process do its task over a connection whose other end does not read, but may send. */
async function measure(task: string, send = 0): Promise<Figures> {
  const server = await rawServer();
  onTestFinished(() => server.stop());
  void server.peer.then((peer) => {
    peer.socket.pause();
    for (let sent = 0; sent < send; sent += HIGH_WATER_MARK)
      peer.send(BINARY, Buffer.alloc(HIGH_WATER_MARK));
  });
  const args = ['--expose-gc', '--import', 'tsx', child, server.url, task];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Figures;
}

test('a writer that minds back pressure puts no more than its mark into memory when nobody reads', async () => {
  const { held, queued, unsent, written } = await measure('writes');
  expect(written).toBeLessThan(30 * MIB);
  expect(queued).toBeLessThanOrEqual(2 * HIGH_WATER_MARK);
  expect(unsent).toBeLessThanOrEqual(2 * HIGH_WATER_MARK);
  expect(held).toBeLessThan(4 * MIB);
});

test('one write of 30 MB is not copied into ws when nobody reads', async () => {
  const { held, queued, unsent } = await measure('one write');
  expect(queued).toBeLessThanOrEqual(2 * HIGH_WATER_MARK);
  expect(unsent).toBe(30 * MIB);
  expect(held).toBeLessThan(4 * MIB);
});

test('a reader that does not read takes no more than its mark and a message into memory', async () => {
  const { held, unread } = await measure('does not read', 30 * MIB);
  expect(unread).toBeGreaterThan(0);
  expect(unread).toBeLessThanOrEqual(2 * HIGH_WATER_MARK);
  expect(held).toBeLessThan(4 * MIB);
});
