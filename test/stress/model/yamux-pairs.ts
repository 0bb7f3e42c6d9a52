/** yamux streams as connections under test, with a look at the sessions that carry them. */
import net from 'node:net';

import { YamuxSession } from '../../../src/yamux/index.ts';
import type { Settings } from './history.ts';
import {
  abortable,
  closeAll,
  firstOf,
  ignore,
  linkTo,
  listening,
  type MakePair,
  overConnect,
} from './pairs.ts';
import { CLOSE_TIMEOUT, type End } from './watched-end.ts';

const SESSION = {
  closeTimeout: CLOSE_TIMEOUT,
  streamOpenTimeout: 5_000,
  streamCloseTimeout: 5_000,
};

/** A session, and the promises that it has broken. */
class WatchedSession {
  readonly session: YamuxSession;
  readonly problems: string[] = [];
  readonly #transport: End;
  #error: Error | null = null;
  #closes = 0;

  constructor(session: YamuxSession, transport: End) {
    this.session = session;
    this.#transport = transport;
    session.on('error', (error) => {
      if (this.#error ?? this.#closes) this.problems.push("a session's 'error' came too late");
      this.#error = error;
    });
    session.on('close', () => {
      if (++this.#closes > 1) this.problems.push("a session's 'close' came twice");
    });
  }

  /** Ends it, and looks at what it says of its end. */
  async stop(): Promise<void> {
    // A transport that has failed by now has failed by itself.
    const { errored } = this.#transport;
    if (errored && !this.#error) {
      this.problems.push(`the transport failed (${errored.message}), and its session did not`);
    }
    const outcome = await this.session.close();
    if (outcome !== this.#error) {
      this.problems.push(`a session's close() gave ${String(outcome)}, not ${String(this.#error)}`);
    }
    if (this.#closes !== 1) this.problems.push("close() of a session resolved before 'close'");
  }
}

/** Makes a yamux stream over something that two ends were made of. */
function overSessions(
  near: End,
  far: Promise<End | null>,
  settings: Settings,
  accept: (end: End) => void,
  ofA?: AbortSignal,
) {
  const { allowHalfOpen, highWaterMark } = settings;
  const common = {
    ...SESSION,
    allowHalfOpen,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  };
  const sessions: WatchedSession[] = [];
  const start = (transport: End, role: 'client' | 'server'): YamuxSession => {
    const watched = new WatchedSession(new YamuxSession(transport, { ...common, role }), transport);
    sessions.push(watched);
    return watched.session;
  };
  const client = start(near, 'client');
  const a: End = client.open({ allowHalfOpen, signal: ofA });
  const accepted = firstOf(a, accept, (take) => {
    void far.then((transport) => {
      if (transport) start(transport, 'server').once('stream', take);
    });
  });
  const problems = (): string[] => sessions.flatMap((session) => session.problems);
  const stop = (): Promise<unknown> => Promise.all(sessions.map((session) => session.stop()));
  return { a, accepted, problems, stop };
}

/** A yamux stream over connect() and createServer(). */
export const yamuxOverAdapter: MakePair = async (settings, [ofA, ofB], accept) => {
  const below = await overConnect(
    { ...settings, tcpEndIsEof: false, halfClose: undefined },
    [],
    ignore,
  );
  const { stop: stopSessions, ...ends } = overSessions(
    below.a,
    below.accepted,
    settings,
    abortable(accept, ofB),
    ofA,
  );
  const stop = async (): Promise<void> => {
    await stopSessions();
    await below.stop();
  };
  return { ...below, ...ends, stop };
};

/** A yamux stream over bare TCP. */
export const yamuxOverTcp: MakePair = async (settings, [ofA, ofB], accept) => {
  const server = net.createServer();
  const link = await linkTo(await listening(server), settings);
  const near = net.connect(link.port, '127.0.0.1');
  near.on('error', () => undefined);
  const far = firstOf(near, ignore, (take) => {
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      take(socket);
    });
  });
  const { stop: stopSessions, ...ends } = overSessions(
    near,
    far,
    settings,
    abortable(accept, ofB),
    ofA,
  );
  const stop = async (): Promise<void> => {
    await stopSessions();
    near.destroy();
    (await far)?.destroy();
    await closeAll(server);
    await link.stop();
  };
  return { ...ends, link, webSockets: [], settles: [], stop };
};
