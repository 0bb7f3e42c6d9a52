/** Lets a history happen to a connection, and throws where a promise was broken. */
import { setTimeout as pause } from 'node:timers/promises';

import type { Link } from '../../support/links/link.ts';
import { act, breakLine } from './act.ts';
import type { History, Moment, Settings, Side, Step } from './history.ts';
import type { Kind } from './kinds.ts';
import type { Made } from './pairs.ts';
import { PATIENCE, stopPair, within } from './stop-pair.ts';
import { Broken, CLOSE_TIMEOUT, type End, WatchedEnd } from './watched-end.ts';

/** Turns of the event loop in which what should not come after 'close' would have come. */
const TURNS_AFTER = 3;

/** @param mustEndWell - whether all that is sent must arrive, and no end may have an error */
export async function runHistory(
  kind: Kind,
  { settings, steps }: History,
  mustEndWell: boolean,
): Promise<void> {
  const [ofA, ofB] = [new AbortController(), new AbortController()];
  const run = new Run(kind, settings, mustEndWell);
  const making = kind.make(settings, [ofA.signal, ofB.signal], (b) => {
    run.watch('b', b, ofB);
  });
  const made = await within(PATIENCE, 'making the connection', making);
  run.watch('a', made.a, ofA);
  try {
    if (!settings.early) await within(PATIENCE, 'the handshake', made.accepted);
    for (const step of steps) {
      await waitFor(step.when);
      run.take(step, made.link);
    }
    // What is stalled before the other end is there would wait for the handshake's time limit.
    made.link.flow('both');
    // A net.Socket that does not read does not notice that it was reset.
    if (kind.bare) run.readOn();
    await within(PATIENCE, 'the handshake', made.accepted);
    await run.settle();
  } finally {
    await stopPair(made);
  }
  run.judge(made);
}

/** 'at once' really is in the same tick: awaiting nothing would be a microtask. */
function waitFor(when: Moment): Promise<void> | undefined {
  if (when === 'at once') return undefined;
  if (when === 'microtask') return Promise.resolve();
  return new Promise((resolve) => {
    if (when === 'nextTick') process.nextTick(resolve);
    else if (when === 'immediate') setImmediate(resolve);
    else setTimeout(resolve, when);
  });
}

class Run {
  readonly #kind: Kind;
  readonly #mustEndWell: boolean;
  readonly #settings: Settings;
  readonly #ends = new Map<Side, WatchedEnd>();

  constructor(kind: Kind, settings: Settings, mustEndWell: boolean) {
    this.#kind = kind;
    this.#settings = settings;
    this.#mustEndWell = mustEndWell;
  }

  watch(side: Side, stream: End, signal: AbortController): void {
    const end: WatchedEnd = new WatchedEnd(side, stream, signal, () => {
      this.#onEnd(end, this.#ends.get(side === 'a' ? 'b' : 'a'));
    });
    this.#ends.set(side, end);
    if (this.#settings.reading) end.flow();
  }

  take(step: Step, link: Link): void {
    if ('fault' in step) {
      breakLine(link, step.fault);
      return;
    }
    const end = this.#ends.get(step.side);
    // What is done to an end that is not there yet, or no more, is not done.
    if (end) act(end, step.action);
  }

  /** An 'end' is a promise: the peer has ended in order, and all that it wrote is here. */
  #onEnd(end: WatchedEnd, peer: WatchedEnd | undefined): void {
    if (!peer || this.#mayEndEarly(end)) return;
    const { stream } = peer;
    // A net.Socket that is destroyed shows an end, whatever became of it; and libuv shows a reset that
    // comes with bytes as an end.
    if (this.#kind.bare && (stream.destroyed || !this.#mustEndWell)) return;
    if (stream.readableEnded && !stream.allowHalfOpen) peer.endedInOrder = true;
    if (!peer.endedInOrder) end.problem("'end' came, and the peer had not ended in order");
    if (end.received !== peer.sent) {
      const [got, all] = [String(end.received), String(peer.sent)];
      end.problem(`'end' came after ${got} bytes, and the peer has written ${all}`);
    }
  }

  /** Without half close an end() closes both directions; and some take an end of TCP for an end. */
  #mayEndEarly(end: WatchedEnd): boolean {
    const { halfClose, tcpEndIsEof } = this.#settings;
    if (tcpEndIsEof && this.#kind.takesTcpEnds) return true;
    return !this.#kind.halfCloses(halfClose) && end.endedInOrder;
  }

  /** Has both ends read to their end. */
  readOn(): void {
    for (const end of this.#ends.values()) {
      end.unpipe();
      end.flow();
      end.stream.resume();
    }
  }

  /** Ends what is left of the connection, and waits until it is over. */
  async settle(): Promise<void> {
    const ends = [...this.#ends.values()];
    if (this.#mustEndWell) {
      this.readOn();
      for (const end of ends) end.end(0);
    } else {
      await pause(5);
      for (const end of ends) {
        const { stream } = end;
        end.endHere();
        if (stream.close) void stream.close();
        else stream.destroy();
      }
    }
    const closed = ends.map((end) => this.#closed(end));
    await Promise.all(closed);
    for (let i = 0; i < TURNS_AFTER; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  async #closed(end: WatchedEnd): Promise<void> {
    if (end.closed) return;
    const close = new Promise((resolve) => end.stream.once('close', resolve));
    try {
      await within(CLOSE_TIMEOUT + PATIENCE, `'close' of ${end.name}`, close);
    } catch (error) {
      end.problem((error as Error).message);
    }
  }

  /** Throws where a promise was broken. */
  judge({ problems: below, webSockets }: Made): void {
    const ends = [...this.#ends.values()];
    const problems = [...ends.flatMap((end) => end.broken(this.#kind.bare)), ...(below?.() ?? [])];
    if (this.#mustEndWell) {
      const [a, b] = [this.#ends.get('a'), this.#ends.get('b')];
      if (!a || !b) problems.push('the connection did not come to be');
      else problems.push(...endedWell(a, b), ...endedWell(b, a));
    }
    for (const ws of webSockets) {
      const left = ws.eventNames().filter((name) => ws.listenerCount(name) > 0);
      if (left.length > 0) problems.push(`listeners are left on ws: ${left.join(', ')}`);
    }
    if (problems.length > 0) throw new Broken(problems.join('\n'));
  }
}

function endedWell(end: WatchedEnd, peer: WatchedEnd): string[] {
  const problems = [];
  if (!end.sawEnd) problems.push(`${end.name}: there was no 'end'`);
  if (end.received !== peer.sent) {
    problems.push(`${end.name}: got ${String(end.received)} of ${String(peer.sent)} bytes`);
  }
  for (const error of end.errors) problems.push(`${end.name}: ${String(error)}`);
  return problems;
}
