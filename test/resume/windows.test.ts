/** What waits in full windows, or was acknowledged in vain, when the path is cut. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';

import { expect, onTestFinished, test } from 'vitest';

import { connect, type ResumableSocket } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { startLink } from '../support/links/start-link.ts';
import { startResumable } from '../support/pairs/resumable-server.ts';
import { readExactly } from '../support/reading.ts';
import { makePair, type Pair } from './pair.ts';

const MIB = 1_048_576;
const WINDOW = 262_144;
/** What the pair has said before: one byte to the far end, which was read. */
const SAID = 1;

/** Writes more than the window of a peer that does not read, and waits until that has it. */
async function fill(from: ResumableSocket, to: ResumableSocket, said: number): Promise<Buffer> {
  const bytes = randomBytes(2 * WINDOW);
  from.write(bytes);
  await expect.poll(() => to.bytesRead - said, { interval: 5, timeout: 30_000 }).toBe(WINDOW);
  return bytes;
}

async function cut({ relay, near, far }: Pair): Promise<void> {
  const back = Promise.all([once(near, 'reconnect'), once(far, 'reconnect')]);
  relay.cut();
  await back;
}

test('a reader that stops for longer than holdTime, its window full, does not stop 20 MB the other way', async () => {
  const holdTime = 500;
  const pair = await makePair(
    { resume: { window: WINDOW } },
    { resume: { window: WINDOW, holdTime } },
  );
  const { near, far } = pair;
  const waiting = await fill(near, far, SAID);
  await cut(pair);
  const since = performance.now();
  const [sent, got] = [createHash('sha256'), createHash('sha256')];
  let bytes = 0;
  near.on('data', (chunk) => {
    got.update(chunk);
    bytes += chunk.length;
  });
  let total = 0;
  while (total < 20 * MIB || performance.now() - since < 2 * holdTime) {
    const block = randomBytes(MIB);
    sent.update(block);
    total += block.length;
    if (!far.write(block)) await once(far, 'drain');
  }
  await expect.poll(() => bytes, { interval: 5, timeout: 30_000 }).toBe(total);
  expect(got.digest('hex')).toBe(sent.digest('hex'));
  expect(far.bytesRead - SAID).toBe(WINDOW);
  expect((await readExactly(far, waiting.length)).equals(waiting)).toBe(true);
  expect([...pair.nearEvents.errors, ...pair.farEvents.errors]).toEqual([]);
});

test('a window that has no room for a whole message is filled, and read to its end', async () => {
  const window = 65_536;
  const pair = await makePair({ resume: { window }, maxMessageSize: MIB }, { resume: { window } });
  const bytes = randomBytes(3 * window);
  pair.near.write(bytes);
  expect((await readExactly(pair.far, bytes.length)).equals(bytes)).toBe(true);
});

test('both windows full at once are full after a cut, and all comes once they are read', async () => {
  const pair = await makePair({ resume: { window: WINDOW } }, { resume: { window: WINDOW } });
  const { near, far } = pair;
  const [up, down] = await Promise.all([fill(near, far, SAID), fill(far, near, 0)]);
  await cut(pair);
  expect([far.bytesRead - SAID, near.bytesRead]).toEqual([WINDOW, WINDOW]);
  await cut(pair);
  const [atFar, atNear] = await Promise.all([
    readExactly(far, up.length),
    readExactly(near, down.length),
  ]);
  expect([atFar.equals(up), atNear.equals(down)]).toEqual([true, true]);
  expect([...pair.nearEvents.errors, ...pair.farEvents.errors]).toEqual([]);
});

test('bytes whose acknowledgements are lost come once', async () => {
  const server = await startResumable({}, () => undefined);
  const link = await startLink(server.port);
  const socket = connect(`ws://127.0.0.1:${String(link.port)}`, { resume: true });
  onTestFinished(() => closeOf(socket.destroy()));
  socket.write('0');
  const atServer = await server.connection(0);
  await readExactly(atServer, 1);
  link.stall('down');
  const bytes = randomBytes(MIB);
  socket.write(bytes);
  // It has them all, and what it says of that does not come through.
  expect((await readExactly(atServer, MIB)).equals(bytes)).toBe(true);
  const back = once(socket, 'reconnect');
  link.cut('rst');
  link.flow('down');
  await back;
  socket.write('1');
  expect(String(await readExactly(atServer, 1))).toBe('1');
  expect(atServer.bytesRead).toBe(MIB + 2);
});

test('both ends that give up at the same time end, each with its own error', async () => {
  const pair = await makePair({ closeTimeout: 300 });
  const lost = Promise.all([once(pair.near, 'disconnect'), once(pair.far, 'disconnect')]);
  pair.relay.refuse = true;
  pair.relay.cut();
  await lost;
  const [nearError, farError] = [new Error('near'), new Error('far')];
  pair.near.destroy(nearError);
  pair.far.destroy(farError);
  pair.relay.refuse = false;
  await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
  expect(pair.nearEvents.errors).toEqual([nearError]);
  expect(pair.farEvents.errors).toEqual([farError]);
});
