import { type Duplex, duplexPair } from 'node:stream';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type ControlOptions, RevdialListener, RevdialServer } from '../../src/revdial/index.ts';
import { type RawControl, rawControl, slowControl } from '../support/peers/raw-control.ts';

const SECOND = 1_000;

/** Either end of a control connection, for what both do alike. */
interface End {
  readonly closed: boolean;
  close(): Promise<Error | null>;
}

type MakeEnd = (stream: Duplex, control?: ControlOptions) => End;

/** A dial back that takes longer than any test. */
const neverDial = () => new Promise<never>(() => undefined);

const ends: readonly (readonly [string, MakeEnd])[] = [
  [
    'the server',
    (stream, control) => new RevdialServer({ path: '/r', control }).createDialer(stream),
  ],
  ['the device', (stream, control) => new RevdialListener(stream, neverDial, { control })],
];

/** Advances the fake clock, and waits for what that sets off. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe.for(ends)('%s', ([, makeEnd]) => {
  async function closed(end: End): Promise<Error | null> {
    const error = await end.close();
    expect(vi.getTimerCount()).toBe(0);
    return error;
  }

  /** Keeps the peer's half of the bargain for that long. */
  async function keepAlive(device: RawControl, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 30 * SECOND) {
      device.send({ command: 'keep-alive' });
      await pass(30 * SECOND);
    }
  }

  test('sends a keep-alive at the start and every 30 s', async () => {
    const peer = rawControl();
    const end = makeEnd(peer.control);
    await pass(0);
    expect(peer.commands).toEqual(['keep-alive']);
    peer.send({ command: 'keep-alive' });
    await pass(30 * SECOND - 1);
    expect(peer.commands).toHaveLength(1);
    await pass(1);
    expect(peer.commands).toHaveLength(2);
    await keepAlive(peer, 600 * SECOND);
    expect(peer.commands).toEqual(Array.from({ length: 22 }, () => 'keep-alive'));
    expect(await closed(end)).toBeNull();
  });

  test('gives up after 35 s without a message, and not before', async () => {
    const peer = rawControl();
    const end = makeEnd(peer.control);
    await pass(20 * SECOND);
    peer.send({ command: 'keep-alive' });
    await pass(35 * SECOND - 1);
    expect(end.closed).toBe(false);
    await pass(1);
    expect(end.closed).toBe(true);
    expect(await closed(end)).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('takes any message for a sign of life, but not a part of one', async () => {
    const peer = rawControl();
    const end = makeEnd(peer.control);
    await pass(30 * SECOND);
    peer.send('{"command":"dance"}\n');
    await pass(30 * SECOND);
    expect(end.closed).toBe(false);
    peer.send('{"command":');
    await pass(5 * SECOND);
    expect(end.closed).toBe(true);
    expect(await closed(end)).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('gives up when a message does not leave within 10 s', async () => {
    const end = makeEnd(slowControl());
    await pass(10 * SECOND - 1);
    expect(end.closed).toBe(false);
    await pass(1);
    expect(end.closed).toBe(true);
    expect(await closed(end)).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('has patience with messages that leave slowly', async () => {
    const end = makeEnd(slowControl(9 * SECOND), { interval: 5 * SECOND });
    await pass(34 * SECOND);
    expect(end.closed).toBe(false);
    const gone = end.close();
    await pass(90 * SECOND);
    // The flush has the time that one message has.
    expect(await gone).toMatchObject({ code: 'ETIMEDOUT' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not take the time to connect for silence', async () => {
    const peer = rawControl();
    const connecting = Object.assign(peer.control, { connecting: true });
    const end = makeEnd(connecting);
    await pass(60 * SECOND);
    expect(end.closed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);

    connecting.connecting = false;
    connecting.emit('connect');
    await pass(30 * SECOND);
    peer.send({ command: 'keep-alive' });
    await pass(30 * SECOND);
    expect(end.closed).toBe(false);
    expect(await closed(end)).toBeNull();
  });

  test('has its timings from its options', async () => {
    const peer = rawControl();
    const end = makeEnd(peer.control, { interval: 100, timeout: 250 });
    await pass(249);
    expect(peer.commands).toHaveLength(3);
    expect(end.closed).toBe(false);
    await pass(1);
    expect(end.closed).toBe(true);
    expect(await closed(end)).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test.for([{ interval: 0 }, { timeout: -1 }, { writeTimeout: 1.5 }, { interval: 2 ** 31 }])(
    'refuses the timing %j',
    (options) => {
      const { control } = rawControl();
      expect(() => makeEnd(control, options)).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
      );
      control.destroy();
    },
  );

  test.for([null, 5, 'often'])('refuses %j for its timings', (options) => {
    const { control } = rawControl();
    expect(() => makeEnd(control, options as unknown as ControlOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    control.destroy();
  });
});

/**
 * A connection of which the middle can be taken away: both ends stay open, and nothing comes
 * through.
 */
function wire(): { a: Duplex; b: Duplex; cut(): void } {
  const [a, toA] = duplexPair();
  const [b, toB] = duplexPair();
  let whole = true;
  toA.on('data', (chunk: Buffer) => whole && toB.write(chunk));
  toB.on('data', (chunk: Buffer) => whole && toA.write(chunk));
  return {
    a,
    b,
    cut: () => {
      whole = false;
    },
  };
}

describe('both ends together', () => {
  test('live for an hour on their keep-alives alone', async () => {
    const { a, b } = wire();
    const dialer = new RevdialServer({ path: '/r' }).createDialer(a);
    const listener = new RevdialListener(b, neverDial);
    await pass(3_600 * SECOND);
    expect([dialer.closed, listener.closed]).toEqual([false, false]);
    await Promise.all([dialer.close(), listener.close()]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.for([0, 12, 29, 31])(
    'notice a silent cut after %i s within 35 s of the last message',
    async (seconds) => {
      const between = wire();
      const dialer = new RevdialServer({ path: '/r' }).createDialer(between.a);
      const listener = new RevdialListener(between.b, neverDial, { dialBackTimeout: 600 * SECOND });
      const waiting = dialer.dial({ timeout: 600 * SECOND }).catch((error: unknown) => error);
      await pass(seconds * SECOND);
      const last = seconds < 30 ? 0 : 30;
      between.cut();

      await pass((last + 35 - seconds) * SECOND - 1);
      expect([dialer.closed, listener.closed]).toEqual([false, false]);
      await pass(1);
      expect([dialer.closed, listener.closed]).toEqual([true, true]);
      expect(await waiting).toMatchObject({ code: 'ECONNRESET', cause: { code: 'ETIMEDOUT' } });
      expect(await dialer.close()).toMatchObject({ code: 'ETIMEDOUT' });
      expect(await listener.close()).toMatchObject({ code: 'ETIMEDOUT' });
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe('a dial', () => {
  test('waits 25 s for the device, and leaves no timer', async () => {
    const peer = rawControl();
    const dialer = new RevdialServer({ path: '/r' }).createDialer(peer.control);
    let outcome: unknown;
    dialer.dial().catch((error: unknown) => (outcome = error));
    await pass(25 * SECOND - 1);
    expect(outcome).toBeUndefined();
    await pass(1);
    expect(outcome).toMatchObject({ code: 'ETIMEDOUT' });
    await dialer.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a dial back', () => {
  test('has 20 s; then its signal fires, and the server is told', async () => {
    const peer = rawControl();
    const signals: AbortSignal[] = [];
    const listener = new RevdialListener(peer.control, (_connPath, signal) => {
      signals.push(signal);
      return new Promise<never>(() => undefined);
    });
    peer.send({ command: 'conn-ready', connPath: '/r?uuid=1' });
    await pass(20 * SECOND - 1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await pass(1);
    expect(signals.map((signal) => signal.reason as unknown)).toMatchObject([
      { code: 'ETIMEDOUT' },
    ]);
    expect(await peer.take('pickup-failed')).toMatchObject({
      connPath: '/r?uuid=1',
      err: expect.stringContaining('20000 ms') as string,
    });
    await listener.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
