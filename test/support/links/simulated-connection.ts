import { vi } from 'vitest';

import type { WsConnError } from '../../../src/base/errors.ts';
import type { LivenessHost } from '../../../src/keepalive/liveness-host.ts';
import { Liveness } from '../../../src/keepalive/liveness.ts';

interface SimulatedPing {
  readonly id: number;
  readonly position: number;
  readonly whenSent: () => void;
}

export interface SimulationOptions {
  readonly interval?: number;
  readonly pongTimeout?: number;
  /** False for a connection whose bytes nobody counts. */
  readonly counts?: boolean;
}

/**
 * Puts a clock of the test's own in the place of the machine's, and no chance into when a look
 * comes: 5 % early.
 */
export function simulateClock(): void {
  vi.useFakeTimers({
    now: 1_000_000,
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance', 'Date'],
  });
  vi.spyOn(Math, 'random').mockReturnValue(0);
}

/**
 * A connection that exists on paper only, with its liveness; all its pings leave at once unless it
 * is told to hold them.
 */
export class SimulatedConnection implements LivenessHost {
  readonly liveness: Liveness;
  readonly pings: SimulatedPing[] = [];
  readonly roundTrips: number[] = [];
  signsOfLife = 0;
  waiting = 0;
  holdsPings = false;
  death: { readonly error: WsConnError; readonly at: number } | null = null;
  readonly #counts: boolean;
  readonly #startedAt = performance.now();
  #written = 0;

  constructor({ interval = 1_000, pongTimeout = 500, counts = true }: SimulationOptions = {}) {
    this.#counts = counts;
    this.liveness = new Liveness(this, interval, pongTimeout);
  }

  /** Time in ms since it was made. */
  get now(): number {
    return performance.now() - this.#startedAt;
  }

  /** Writes without a word to the liveness, as inside one message. */
  writeSilently(bytes: number): void {
    this.#written += bytes;
  }

  /** Writes a message. */
  write(bytes: number): void {
    this.#written += bytes;
    this.liveness.onWritten();
  }

  /** The peer sends data. */
  receive(bytes = 1): void {
    this.liveness.onReceived(bytes);
  }

  /** The peer answers a ping. */
  answer(id: number): void {
    this.liveness.onReceived(10);
    this.liveness.onPong(id);
  }

  written(): number | undefined {
    return this.#counts ? this.#written : undefined;
  }

  queued(): number {
    return this.waiting;
  }

  mayPing(): boolean {
    return true;
  }

  ping(id: number, whenSent: () => void): void {
    this.pings.push({ id, position: this.#written, whenSent });
    if (!this.holdsPings) whenSent();
  }

  showLife(): void {
    this.signsOfLife++;
  }

  onPong(roundTrip: number): void {
    this.roundTrips.push(roundTrip);
  }

  onDead(error: WsConnError): void {
    this.death = { error, at: this.now };
  }
}
