import { setTimeout as pause } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { YamuxSession, type YamuxSessionOptions } from '../../../src/yamux/index.ts';
import { closeOf, next } from '../../support/events.ts';
import {
  resumablePair,
  type ResumablePair,
  type ResumablePairOptions,
} from '../../support/pairs/resumable-pair.ts';
import { readAll } from '../../support/reading.ts';

const MIB = 1024 * 1024;

interface Sessions {
  readonly pair: ResumablePair;
  readonly client: YamuxSession;
  readonly server: YamuxSession;
}

async function sessions(
  options: Omit<YamuxSessionOptions, 'role'> = {},
  pairOptions: ResumablePairOptions = {},
): Promise<Sessions> {
  const pair = await resumablePair(pairOptions);
  const client = new YamuxSession(pair.a, { role: 'client', ...options });
  const server = new YamuxSession(pair.b, { role: 'server', allowHalfOpen: true, ...options });
  for (const session of [client, server]) session.on('error', () => undefined);
  server.on('stream', (stream) => stream.pipe(stream));
  onTestFinished(() => pair.stop());
  return { pair, client, server };
}

test('streams of yamux go on over a path that is cut again and again, each byte once', async () => {
  const { pair, client, server } = await sessions({ keepalive: false });
  pair.cutEvery(2 * MIB);
  const hashes = Array.from({ length: 8 }, async (_, i) => {
    const bytes = bytesOf(i, 2 * MIB);
    const stream = client.open({ allowHalfOpen: true });
    stream.end(bytes);
    return sha256(await readAll(stream)) === sha256(bytes);
  });
  expect(await Promise.all(hashes)).toEqual(Array.from({ length: 8 }, () => true));
  expect(pair.lost()).toBeGreaterThan(3);
  const ended = closeOf(pair.b);
  expect(await client.close()).toBeNull();
  await ended;
  expect(await server.close()).toBeNull();
  expect([pair.a.errored, pair.b.errored]).toEqual([null, null]);
});

/** Takes the path away, and brings it back after so many ms. */
async function outage({ pair }: Sessions, ms: number): Promise<void> {
  const back = next(pair.a, 'reconnect');
  await pair.down();
  await pause(ms);
  await pair.up();
  await back;
}

/** Asks often, and waits for longer than a client needs to come back. */
const QUICK = { interval: 50, pongTimeout: 30_000 };

test('the end of a session of yamux waits for no time limit', async () => {
  const { pair, client } = await sessions({}, { closeTimeout: 600_000 });
  const ended = [closeOf(pair.a), closeOf(pair.b)];
  expect(await client.close()).toBeNull();
  await Promise.all(ended);
});

test('an outage shorter than the pongTimeout of yamux leaves its session alive', async () => {
  const both = await sessions({ keepalive: QUICK });
  await outage(both, 300);
  expect(await both.client.ping()).toBeGreaterThanOrEqual(0);
  expect(await both.client.close()).toBeNull();
});

test('one that is longer ends the session of yamux: over resume it is better without a keepalive of its own', async () => {
  const both = await sessions(
    { keepalive: { interval: 50, pongTimeout: 100 } },
    { closeTimeout: 100 },
  );
  const failed = next(both.client, 'error');
  // As far as the sockets know nothing is lost: the ping has left, and its answer does not come.
  both.pair.stall();
  expect((await failed).at(0)).toMatchObject({ code: 'ETIMEDOUT' });
});

test('the keepalive of the socket ends a silent WebSocket, and the session of yamux goes on', async () => {
  const both = await sessions(
    { keepalive: false },
    { keepalive: { interval: 50, pongTimeout: 200 } },
  );
  const [lost, back] = [next(both.pair.a, 'disconnect'), next(both.pair.a, 'reconnect')];
  both.pair.stall();
  expect((await lost).at(0)).toMatchObject({ code: 'ETIMEDOUT' });
  await back;
  expect(await both.client.ping()).toBeGreaterThanOrEqual(0);
  expect(await both.client.close()).toBeNull();
});
