/** A whole YamuxSession over bytes that may be anything. */
import type { YamuxStream } from '../../../../src/yamux/index.ts';
import { YamuxSession } from '../../../../src/yamux/index.ts';
import { inputsOf } from '../inputs.ts';
import { bits, check, checkKnown, few, type Input, kindOf, type Target } from '../target.ts';
import { Watch } from './watch.ts';
import { bringAll, turn, Wire } from './wire.ts';
import { yamuxBytes } from './yamux-bytes.ts';

/** Time in ms that no end needs here: the wire answers at once. */
const CLOSE_TIMEOUT = 1_000;
const BACKLOG = 3;
/** What this side writes by itself, at most: a stream's bytes, SYN, FIN, GoAway, windows. */
const OWN_BYTES = 2_000;
/** Frames of 12 bytes that answer one of the peer's: ACK, a window, RST, FIN. */
const FACTOR = 5;

function use(stream: YamuxStream, how: number): void {
  if (how === 0) stream.resume();
  else if (how === 1) stream.once('data', () => stream.destroy());
  else if (how === 2) stream.pipe(stream);
}

function makeSession(input: Input, wire: Wire, streams: Watch[]): YamuxSession {
  const session = new YamuxSession(wire, {
    role: bits(input, 0) === 0 ? 'server' : 'client',
    keepalive: false,
    closeTimeout: CLOSE_TIMEOUT,
    acceptBacklog: BACKLOG,
    allowHalfOpen: bits(input, 1) === 1,
  });
  const take = (stream: YamuxStream): void => {
    streams.push(new Watch(stream));
    use(stream, bits(input, 2, 2));
  };
  if (bits(input, 4) === 1) session.on('stream', take);
  if (bits(input, 5) === 1) {
    const own = session.open();
    streams.push(new Watch(own));
    // No echo: who has ended the stream itself must not write to it any more.
    use(own, bits(input, 2));
    own.write('a few bytes');
    if (bits(input, 6) === 1) own.end();
  }
  return session;
}

async function run(input: Input): Promise<string[]> {
  const wire = new Wire();
  const streams: Watch[] = [];
  const session = makeSession(input, wire, streams);
  const events: string[] = [];
  const errors: Error[] = [];
  session.on('error', (error) => {
    events.push('error');
    errors.push(error);
  });
  session.on('goaway', (code) => events.push(`goaway ${String(Math.min(code, 3))}`));
  const closed = new Promise<void>((resolve) => {
    session.on('close', () => {
      events.push('close');
      resolve();
    });
  });
  if (bits(input, 10) === 1) wire.hold();
  await bringAll(wire, input.chunks, bits(input, 7) === 1);
  if (bits(input, 11) === 1) await turn();
  if (bits(input, 8) === 1) {
    // Who ends a stream must not write to it any more, as on every socket.
    for (const { stream } of streams) stream.unpipe(stream);
    void session.close();
  }
  wire.bringEnd(bits(input, 9) === 1 ? 'reset' : 'FIN');
  await closed;
  const outcome = await session.close();
  for (const { stream } of streams) stream.destroy();
  await Promise.all(streams.map((one) => one.closed));
  await turn();

  const errorsSeen = events.filter((name) => name === 'error').length;
  check(events.filter((name) => name === 'close').length === 1, "a session has one 'close'");
  check(events.at(-1) === 'close', "nothing comes after 'close'");
  check(errorsSeen <= 1, "a session has one 'error' at most");
  check((errors[0] ?? null) === outcome, "close() resolves with the session's error");
  if (outcome) checkKnown(outcome);
  check(session.numStreams === 0, 'no stream is left');
  for (const one of streams) one.check();
  const sent = input.chunks.reduce((sum, { length }) => sum + length, 0);
  check(wire.written <= OWN_BYTES + FACTOR * sent, 'a peer gets no flood for a few bytes');
  for (const name of ['data', 'drain', 'error', 'close']) {
    check(wire.listenerCount(name) === 0, `no listener of '${name}' is left on the transport`);
  }
  const kinds = streams.map((one) => `stream ${one.outcome}`);
  return [kindOf(outcome), [...new Set(events)].sort().join(' '), few(streams.length), ...kinds];
}

export const session: Target = {
  name: 'yamux-session',
  weight: 4,
  inputs: inputsOf(yamuxBytes),
  run,
};
