/** Lets two ends talk over a connection that is cut, and looks at what each of them knows then. */
import type { Side } from '../model/history.ts';
import { type Kind, KINDS } from '../model/kinds.ts';
import type { Made } from '../model/pairs.ts';
import { PATIENCE, stopPair, within } from '../model/stop-pair.ts';
import { Broken, CLOSE_TIMEOUT, type End, WatchedEnd } from '../model/watched-end.ts';
import { type Cut, type Exchange, type Passed, settingsOf } from './places.ts';

/** How often a reader that pauses does so, in chunks, and for how long. */
const PAUSE = { every: 4, ms: 15 };
/** Turns of the event loop in which what should not come after 'close' would have come. */
const TURNS_AFTER = 3;
/** Codes of docs/api.md that a cut may have; the kernel's own for a reset are among them. */
const CODES = new Set(['ECONNRESET', 'EPIPE', 'EPROTO', 'ETIMEDOUT']);

export interface Seen {
  readonly passed: Passed;
  /** Whether the cut came before all was over. */
  readonly wasCut: boolean;
  /** Whether Node has shown a reset of a bare socket as an end. */
  readonly resetAsEnd: boolean;
  /** Time in ms from the first 'close' to the last one. */
  readonly apart: number;
}

type Place = Omit<Cut, 'exchange'>;

/** @throws Broken */
export async function runExchange(exchange: Exchange, place: Place | null): Promise<Seen> {
  const kind = KINDS[exchange.kind];
  if (!kind) throw new Error(`there is no pair ${exchange.kind}`);
  const talk = new Talk(kind, exchange);
  const signals = [new AbortController(), new AbortController()] as const;
  const made = await kind.make(
    settingsOf(exchange),
    signals.map(({ signal }) => signal),
    (b) => {
      talk.watch('b', b, signals[1]);
    },
  );
  // No bytes have passed before the event loop has turned.
  if (place) made.link.cutAt(place.at, place.direction, place.how);
  talk.watch('a', made.a, signals[0]);
  try {
    await talk.over(made.accepted);
  } finally {
    await stopPair(made);
  }
  const passed = { up: made.link.passed('up'), down: made.link.passed('down') };
  const wasCut = place !== null && passed[place.direction] >= place.at;
  const joined = await Promise.all(made.settles);
  return { passed, wasCut, ...talk.judge(made, joined, wasCut) };
}

/** Lets some of what comes wait before it is read. */
function pauseNowAndThen(stream: End): void {
  let count = 0;
  stream.on('data', () => {
    if (count++ % PAUSE.every > 0) return;
    stream.pause();
    setTimeout(() => stream.resume(), PAUSE.ms);
  });
}

class Talk {
  readonly #kind: Kind;
  readonly #exchange: Exchange;
  readonly #ends = new Map<Side, WatchedEnd>();
  readonly #closedAt: number[] = [];
  /** What is wrong with the ends that came so far. */
  readonly #wrongEnds = new Map<Side, string>();

  constructor(kind: Kind, exchange: Exchange) {
    this.#kind = kind;
    this.#exchange = exchange;
  }

  watch(side: Side, stream: End, signal: AbortController): void {
    const { endsFirst, pauses, reply, sizes } = this.#exchange;
    const other = side === 'a' ? 'b' : 'a';
    const end: WatchedEnd = new WatchedEnd(side, stream, signal, () => {
      this.#onEnd(side, end, this.#ends.get(other));
      this.#write(end, reply);
      end.end(0);
    });
    this.#ends.set(side, end);
    stream.once('close', () => this.#closedAt.push(performance.now()));
    end.flow();
    if (side === endsFirst) {
      stream.on('data', () => {
        if (end.received >= sizes[other]) end.end(0);
      });
    }
    if (pauses) pauseNowAndThen(stream);
    this.#write(end, sizes[side]);
  }

  #write(end: WatchedEnd, bytes: number): void {
    const { chunk } = this.#exchange;
    for (let left = bytes; left > 0; left -= chunk) end.write(Math.min(left, chunk), false);
  }

  /** An 'end' is a promise: the peer has ended in order, and all that it wrote is here. */
  #onEnd(side: Side, end: WatchedEnd, peer: WatchedEnd | undefined): void {
    if (side === 'b' && this.#exchange.tcpEndIsEof && end.received === 0) {
      // Before its client has shown that it saw the answer, a server takes an end of TCP for an end.
      return;
    }
    const got = `'end' came after ${String(end.received)} bytes`;
    if (!peer) this.#wrongEnds.set(side, `${got}, and there is no peer`);
    else if (end.received !== peer.sent) {
      this.#wrongEnds.set(side, `${got}, and the peer has written ${String(peer.sent)}`);
    } else if (!peer.endedInOrder && !this.#endedBoth(end)) {
      this.#wrongEnds.set(side, `${got}, and the peer had not ended`);
    }
  }

  /** Without half close an end() ends both directions, and the peer's answer is an 'end'. */
  #endedBoth(end: WatchedEnd): boolean {
    return !this.#kind.halfCloses(this.#exchange.halfClose) && end.endedInOrder;
  }

  /** Waits until both ends are closed, by themselves. */
  async over(accepted: Promise<End | null>): Promise<void> {
    await this.#closed('a');
    await within(PATIENCE, 'the handshake', accepted);
    await this.#closed('b');
    for (let i = 0; i < TURNS_AFTER; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  async #closed(side: Side): Promise<void> {
    const end = this.#ends.get(side);
    if (!end || end.closed) return;
    const close = new Promise((resolve) => end.stream.once('close', resolve));
    await within(CLOSE_TIMEOUT + PATIENCE, `'close' of ${side}`, close);
  }

  /**
   * Throws where an end was told something else than what happened.
   * @param joined - the errors with which join() has failed, that of `a` first
   */
  judge(
    { webSockets }: Made,
    joined: readonly unknown[],
    wasCut: boolean,
  ): Pick<Seen, 'apart' | 'resetAsEnd'> {
    const { bare } = this.#kind;
    const problems: string[] = [];
    let resetAsEnd = false;
    for (const [side, end] of this.#ends) {
      const wrong = this.#wrongEnds.get(side);
      // The tunnel knew and has sent a reset; libuv shows one that comes in the same poll as bytes
      // as an end.
      if (wrong && bare && joined[side === 'a' ? 0 : 1]) resetAsEnd = true;
      else if (wrong) problems.push(`${side}: ${wrong}`);
      problems.push(...end.broken(bare));
      for (const error of end.errors) {
        const { code } = error as NodeJS.ErrnoException;
        if (!CODES.has(String(code))) problems.push(`${side}: ${String(code)}: ${error.message}`);
        if (!wasCut) problems.push(`${side}: was not cut: ${error.message}`);
      }
      const knows = end.sawEnd || end.errors.length > 0;
      if (!knows) problems.push(`${side}: closed without an 'end' and without an error`);
      if (!wasCut && !end.sawEnd) problems.push(`${side}: was not cut, and there was no 'end'`);
    }
    if (!wasCut && this.#ends.size < 2) problems.push('the connection did not come to be');
    for (const ws of webSockets) {
      const left = ws.eventNames().filter((name) => ws.listenerCount(name) > 0);
      if (left.length > 0) problems.push(`listeners are left on ws: ${left.join(', ')}`);
    }
    if (problems.length > 0) throw new Broken(problems.join('\n'));
    const [first = 0, last = first] = this.#closedAt;
    return { apart: last - first, resetAsEnd };
  }
}
