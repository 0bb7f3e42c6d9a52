import { once } from 'node:events';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { WsConnError } from '../../src/index.ts';
import { decode, encodeAck } from '../../src/resume/wire/message.ts';
import { closeOf } from '../support/events.ts';
import { startResumable } from '../support/pairs/resumable-server.ts';
import { BINARY } from '../support/peers/frames.ts';
import { begin, messageOf } from '../support/peers/resume-peer.ts';
import { makePair, type Pair, sever } from './pair.ts';

const SHORT = { closeTimeout: 300 };

test('close() of a connection that has ended both ways, with bytes that nobody reads', async () => {
  const { near, far, farEvents } = await makePair();
  far.pause();
  near.end('unread');
  far.end();
  near.resume();
  await closeOf(near);
  // All was said and heard, and the WebSocket is gone.
  await expect.poll(() => far.ws).toBeNull();
  expect(await far.close()).toBeNull();
  expect(far.destroyed).toBe(true);
  expect(farEvents.errors).toEqual([]);
});

describe('close(code) at the server', () => {
  test.each([
    { code: 1_000, types: ['data', 'fin', 'end'] },
    // Its peer must not see an 'end' where the path is cut before the code has come.
    { code: 4_001, types: ['data', 'end'] },
  ])('with $code says $types', async ({ code, types }) => {
    const server = await startResumable({}, () => undefined);
    const { peer } = await begin(server.port);
    await messageOf(peer, 'ack');
    const connection = await server.connection(0);
    connection.write('x');
    const closed = connection.close(code, 'enough');
    const said = [];
    for (const type of types) {
      const message = decode((await peer.frame(BINARY)).payload);
      said.push(typeof message === 'string' ? message : message.type);
      expect(said.at(-1)).toBe(type);
    }
    peer.send(BINARY, encodeAck({ received: types.length, consumed: types.length }));
    peer.sendClose(1_000);
    peer.socket.end();
    expect(await closed).toBeNull();
  });
});

describe('while there is no WebSocket', () => {
  test('destroy(error) comes to its end in closeTimeout, and tells the peer when it can', async () => {
    const pair = await makePair({ closeTimeout: 5_000 });
    await sever(pair);
    const error = new Error('enough');
    pair.near.destroy(error);
    pair.relay.refuse = false;
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    expect(pair.nearEvents.errors).toEqual([error]);
    expect(pair.farEvents.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  test('destroy(error) gives up after closeTimeout where nobody is there', async () => {
    const pair = await makePair(SHORT, { resume: { holdTime: 500 } });
    await sever(pair);
    pair.near.resetAndDestroy();
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    expect(pair.nearEvents.errors).toEqual([]);
    expect(pair.farEvents.errors).toMatchObject([{ code: 'ETIMEDOUT' }]);
  });

  test('close() brings what was written, and the end, when the path is back', async () => {
    const pair = await makePair();
    await sever(pair);
    pair.near.write('late');
    const closed = pair.near.close();
    pair.relay.refuse = false;
    expect(String((await once(pair.far, 'data')).at(0))).toBe('late');
    expect(await closed).toBeNull();
    await closeOf(pair.far);
    expect(pair.farEvents.errors).toEqual([]);
    expect(pair.farEvents.count('end')).toBe(1);
  });

  test('close() gives ETIMEDOUT after closeTimeout, with what was at stake', async () => {
    const pair = await makePair(SHORT, { resume: { holdTime: 600 } });
    await sever(pair);
    pair.near.write('never');
    const error = await pair.near.close();
    expect(error).toBeInstanceOf(WsConnError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(error?.message).toMatch(/[56] written bytes were not acknowledged/);
    await closeOf(pair.far);
  });

  test('each byte of a write counts once that was under way when the path was lost', async () => {
    const pair = await makePair(SHORT, { resume: { holdTime: 600 } });
    pair.relay.stall();
    pair.near.write(Buffer.alloc(5_000_000));
    await sever(pair);
    const error = await pair.near.close();
    // The first byte of the pair may have been acknowledged, or not.
    expect(error?.message).toMatch(/; 500000[01] written bytes were not acknowledged/);
    await closeOf(pair.far);
  });

  test('close() of the server reaches the client that comes back, with its code', async () => {
    const pair = await makePair();
    await sever(pair);
    const closed = pair.far.close(4_000, 'moved');
    pair.relay.refuse = false;
    await closeOf(pair.near);
    expect(await closed).toBeNull();
    expect(pair.nearEvents.errors).toMatchObject([
      { code: 'ECONNRESET', closeCode: 4_000, closeReason: 'moved' },
    ]);
  });

  test('destroy(error) of the server is told to the client that comes back', async () => {
    const pair = await makePair();
    await sever(pair);
    pair.far.destroy(new Error('enough'));
    await closeOf(pair.far);
    pair.relay.refuse = false;
    await closeOf(pair.near);
    expect(pair.nearEvents.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  test('destroy() with nothing unsent is an end for the peer, when the path is back', async () => {
    const pair = await makePair();
    await sever(pair);
    pair.near.destroy();
    pair.relay.refuse = false;
    pair.far.resume();
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    expect(pair.nearEvents.errors).toEqual([]);
    expect(pair.farEvents.errors).toEqual([]);
    expect(pair.farEvents.count('end')).toBe(1);
  });

  test('end() ends both sides in order, when the path is back', async () => {
    const pair = await makePair();
    await sever(pair);
    pair.near.resume().end('last words');
    pair.relay.refuse = false;
    expect(String((await once(pair.far, 'data')).at(0))).toBe('last words');
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    expect(pair.nearEvents.errors).toEqual([]);
    expect(pair.farEvents.errors).toEqual([]);
  });
});

/** Severs the path, and has the client wait for its next try until the test is long over. */
async function severForLong(pair: Pair): Promise<void> {
  const { relay } = pair;
  // The first try is at once, the second a random share of 0.5 s later: here a hundred times that.
  const random = vi.spyOn(Math, 'random').mockReturnValue(100);
  onTestFinished(() => {
    random.mockRestore();
  });
  const { refused } = relay;
  await sever(pair);
  await expect.poll(() => relay.refused, { interval: 5 }).toBeGreaterThan(refused);
  relay.refuse = false;
}

describe('a client that waits for its next try', () => {
  test('dials at once to close()', async () => {
    const pair = await makePair();
    pair.far.resume();
    await severForLong(pair);
    pair.near.write('late');
    expect(await pair.near.close()).toBeNull();
    await closeOf(pair.far);
    expect(pair.far.bytesRead).toBe(5);
    expect(pair.farEvents.errors).toEqual([]);
  });

  test('dials at once to destroy()', async () => {
    const pair = await makePair();
    pair.far.resume();
    await severForLong(pair);
    pair.near.destroy();
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    expect(pair.farEvents.count('end')).toBe(1);
    expect([...pair.nearEvents.errors, ...pair.farEvents.errors]).toEqual([]);
  });

  test('dials at once to destroy(error)', async () => {
    const pair = await makePair();
    await severForLong(pair);
    pair.near.resetAndDestroy();
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    expect(pair.farEvents.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  });
});

describe('a path that never comes back', () => {
  test('is ETIMEDOUT at both ends, with the bytes that were not acknowledged', async () => {
    const pair = await makePair({ resume: { giveUpAfter: 400 } }, { resume: { holdTime: 400 } });
    await sever(pair);
    pair.near.write('lost');
    await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
    for (const { errors } of [pair.nearEvents, pair.farEvents]) {
      expect(errors).toMatchObject([{ code: 'ETIMEDOUT' }]);
    }
    expect(pair.nearEvents.errors[0]?.message).toMatch(/[45] written bytes were not acknowledged/);
    expect(pair.nearEvents.errors[0]?.cause).toBeInstanceOf(Error);
  });
});

describe('a server that has forgotten the connection', () => {
  test('is ECONNRESET, and the message says which', async () => {
    const pair = await makePair({}, { resume: { holdTime: 100 } });
    await sever(pair);
    await closeOf(pair.far);
    // For as long it can tell how the connection has ended.
    const forgotten = performance.now() + 100;
    await expect.poll(() => performance.now()).toBeGreaterThan(forgotten);
    pair.relay.refuse = false;
    await closeOf(pair.near);
    expect(pair.nearEvents.errors).toMatchObject([
      { code: 'ECONNRESET', cause: { statusCode: 410 } },
    ]);
    expect(pair.nearEvents.errors[0]?.message).toMatch(/cannot be resumed/);
  });
});

test('both ends that end at once while the path is cut end in order', async () => {
  const pair = await makePair();
  pair.far.resume();
  pair.near.resume();
  pair.near.end();
  pair.far.end();
  pair.relay.cut();
  await Promise.all([closeOf(pair.near), closeOf(pair.far)]);
  expect([...pair.nearEvents.errors, ...pair.farEvents.errors]).toEqual([]);
});
