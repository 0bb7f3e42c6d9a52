import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { SimulatedConnection, simulateClock } from '../support/links/simulated-connection.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/**
 * Time in ms that the clock of these tests takes for a turn of the event loop, which every verdict
 * waits for.
 */
const TURN = 1;
/** Time in ms that 64 KiB need at 8 kB/s. */
const DENSE_MS = (64 * KIB) / 8;

/** Lets time pass, in ms. */
function pass(ms: number): void {
  vi.advanceTimersByTime(ms);
}

beforeEach(simulateClock);

afterEach(() => {
  vi.restoreAllMocks();
});

function started(...args: ConstructorParameters<typeof SimulatedConnection>): SimulatedConnection {
  const connection = new SimulatedConnection(...args);
  connection.liveness.start();
  return connection;
}

describe('while nothing moves', () => {
  test('a ping goes out in every interval, and the answer gives the round trip', () => {
    const connection = started();
    for (const count of [1, 2, 3]) {
      pass(950);
      expect(connection.pings).toHaveLength(count);
      pass(40);
      connection.answer(count);
    }
    expect(connection.roundTrips).toEqual([40, 40, 40]);
    expect(connection.liveness.roundTrip).toBe(40);
    connection.liveness.stop();
  });

  test('the peer is dead pongTimeout after a ping, to the millisecond', () => {
    const connection = started();
    pass(950 + 499);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death?.at).toBe(1_450 + TURN);
    expect(connection.death?.error).toMatchObject({
      code: 'ETIMEDOUT',
      message: expect.stringMatching(/: no byte came in for 50\d ms after a ping;/) as unknown,
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a byte of any kind is life, and the peer is asked again in the next interval', () => {
    const connection = started();
    pass(950);
    for (const count of [1, 2, 3, 4]) {
      expect(connection.pings).toHaveLength(count);
      pass(400);
      connection.receive();
      pass(550);
    }
    expect(connection.death).toBeNull();
    pass(2_000);
    expect(connection.death).not.toBeNull();
  });

  test('a ping that cannot leave ends as one that is not answered, and any byte is life then too', () => {
    const connection = started();
    connection.holdsPings = true;
    pass(950 + 400);
    connection.receive();
    pass(2_000);
    expect(connection.pings).toHaveLength(1);
    expect(connection.death).toBeNull();
    connection.liveness.stop();

    const silent = started();
    silent.holdsPings = true;
    silent.waiting = 14;
    pass(950 + 500 + TURN);
    expect(silent.death?.error.message).toContain('14 bytes wait in the send queue');
  });
});

test('while bytes move both ways nothing is sent', () => {
  const connection = started();
  for (let i = 0; i < 100; i++) {
    pass(100);
    connection.write(100);
    connection.receive(100);
  }
  expect(connection.pings).toEqual([]);
  connection.liveness.stop();
});

describe('the bytes before a ping', () => {
  test('get the time that they need at 8 kB/s', () => {
    const connection = started();
    connection.writeSilently(80_000);
    pass(950 + 10_000 + 499);
    expect(connection.pings).toHaveLength(1);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death).toMatchObject({ at: 950 + 10_000 + 500 + TURN });
  });

  test('do so also when they were written before the start, 16 MiB at most', () => {
    const connection = new SimulatedConnection();
    connection.writeSilently(1_000 * MIB);
    connection.liveness.start();
    expect(connection.pings).toHaveLength(1);
    pass((16 * MIB) / 8 + 499);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death).not.toBeNull();
  });

  test('are not known where nobody counts: there the clock starts when the ping has left', () => {
    const connection = started({ counts: false });
    connection.holdsPings = true;
    pass(100_000);
    expect(connection.death).toBeNull();
    expect(connection.pings).toHaveLength(1);
    connection.pings[0]?.whenSent();
    pass(499);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death).not.toBeNull();
  });
});

describe('a burst', () => {
  test('carries a ping for each 64 KiB, each of which gets 8 s from the answer to the one before it', () => {
    const connection = started();
    for (let i = 0; i < 40; i++) connection.write(32 * KIB);
    expect(connection.pings.map(({ position }) => position)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i + 1) * 64 * KIB),
    );
    for (const { id } of connection.pings.slice(0, 10)) {
      pass(DENSE_MS + 499);
      expect(connection.death).toBeNull();
      connection.answer(id);
    }
    pass(DENSE_MS + 499);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death).not.toBeNull();
  });

  test('is acknowledged by the answer to its last ping alone, and then an answer late or twice means nothing', () => {
    const connection = started();
    for (let i = 0; i < 10; i++) connection.write(64 * KIB);
    pass(100);
    connection.answer(10);
    connection.answer(10);
    connection.answer(3);
    expect(connection.roundTrips).toEqual([100]);
    pass(950);
    expect(connection.pings).toHaveLength(11);
    pass(500 + TURN);
    expect(connection.death).toMatchObject({ at: 100 + 950 + 500 + TURN });
  });

  test('to a peer that answers within 20 ms, or sends bytes as well, carries a ping for each 256 KiB', () => {
    const fast = started();
    fast.write(64 * KIB);
    pass(19);
    fast.answer(1);
    for (let i = 0; i < 16; i++) fast.write(64 * KIB);
    expect(fast.pings).toHaveLength(1 + 4);
    fast.liveness.stop();

    const talking = started();
    for (let i = 0; i < 16; i++) {
      talking.receive();
      talking.write(64 * KIB);
    }
    expect(talking.pings).toHaveLength(4);
    talking.liveness.stop();
  });

  test('is none where bytes come no faster than 8 kB/s, however many', () => {
    const connection = started();
    for (let i = 0; i < 6_000; i++) {
      pass(100);
      connection.write(790);
      connection.receive();
    }
    expect(connection.pings).toEqual([]);
    connection.liveness.stop();
  });

  test('never has more than 256 pings without an answer', () => {
    const connection = started();
    for (let i = 0; i < 1_000; i++) connection.write(64 * KIB);
    expect(connection.pings).toHaveLength(256);
    connection.liveness.stop();
  });

  test('to a peer that answers no ping but sends bytes goes on as long as they come', () => {
    const connection = started();
    for (let i = 0; i < 1_000; i++) {
      pass(400);
      connection.receive();
      connection.write(256 * KIB);
    }
    expect(connection.death).toBeNull();
    connection.liveness.stop();
  });

  test('makes no timer for each ping and answer, and the next look comes in its time', () => {
    const connection = started();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    for (let i = 0; i < 20; i++) {
      connection.write(256 * KIB);
      pass(1);
      connection.answer(connection.pings.length);
    }
    expect(connection.pings).toHaveLength(20);
    expect(timers.mock.calls.length).toBeLessThan(4);
    pass(949);
    expect(connection.pings).toHaveLength(20);
    pass(1);
    expect(connection.pings).toHaveLength(21);
    expect(vi.getTimerCount()).toBe(1);
    connection.liveness.stop();
  });

  test('tells the death of a peer to the millisecond, whatever its timer was made for', () => {
    const connection = started();
    for (let i = 0; i < 20; i++) {
      connection.write(256 * KIB);
      pass(1);
      connection.answer(connection.pings.length);
    }
    pass(100);
    connection.write(256 * KIB);
    pass((256 * KIB) / 8 + 499);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death).not.toBeNull();
  });
});

describe('while our own side reads nothing', () => {
  test('the clock stands still, and signs of life go out for a peer with the same limits', () => {
    const connection = started();
    pass(950 + 300);
    connection.liveness.pause();
    pass(60_000);
    expect(connection.death).toBeNull();
    expect(connection.signsOfLife).toBe(60_000 / 250);
    expect(connection.pings).toHaveLength(1);
    connection.liveness.resume();
    pass(199);
    expect(connection.death).toBeNull();
    pass(1 + TURN);
    expect(connection.death).not.toBeNull();
  });

  test('a burst carries no pings, since their answers would pile up at the peer', () => {
    const connection = started();
    connection.liveness.pause();
    for (let i = 0; i < 100; i++) connection.write(64 * KIB);
    expect(connection.pings).toEqual([]);
    connection.liveness.stop();
  });
});

describe('a stall of our own event loop', () => {
  test('ends with a look at what has come meanwhile, before the verdict', () => {
    const connection = started();
    pass(950 + 499);
    // The poll that comes between the timer and the verdict.
    setTimeout(() => {
      connection.answer(1);
    }, 1);
    pass(1 + TURN);
    expect(connection.death).toBeNull();
    connection.liveness.stop();
  });

  test('gives the peer its time anew when the verdict comes much too late', () => {
    const connection = started();
    pass(950);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000);
    pass(500 + TURN);
    expect(connection.death).toBeNull();
    pass(499 - TURN);
    expect(connection.death).toBeNull();
    pass(1 + 2 * TURN);
    expect(connection.death).not.toBeNull();
  });
});

test.each(['listening', 'paused', 'dead in the next turn'])(
  'stop() leaves no timer behind while it is %s',
  (state) => {
    const connection = started();
    pass(950);
    if (state === 'paused') connection.liveness.pause();
    if (state === 'dead in the next turn') {
      setTimeout(() => {
        setImmediate(() => {
          connection.liveness.stop();
        });
      }, 499);
      pass(500);
    }
    connection.liveness.stop();
    expect(vi.getTimerCount()).toBe(0);
    connection.liveness.onReceived(1);
    connection.liveness.onWritten();
    connection.liveness.onPong(1);
    connection.liveness.resume();
    expect(vi.getTimerCount()).toBe(0);
    expect(connection.death).toBeNull();
  },
);
