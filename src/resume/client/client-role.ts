import type { WebSocket } from 'ws';

import { WsConnError } from '../../base/errors.ts';
import type { WebSocketCarrier } from '../socket/carrier.ts';
import type { ResumeSettings } from '../socket/resume-options.ts';
import { refusedError, stake } from '../socket/resume-errors.ts';
import type { ResumedConnection } from '../socket/resumed-connection.ts';
import type { Role, RoleHost } from '../socket/role.ts';
import { encodeHello, type Progress } from '../wire/message.ts';
import { formatResumeRequest, type RefusalReason } from '../wire/resume-header.ts';
import { Attempt } from './attempt.ts';
import { Backoff } from './backoff.ts';
import { NetworkWatch } from './network-watch.ts';

/** Opens a WebSocket to the server, with this value of the header WsConn-Resume. */
export type Dial = (header: string) => WebSocket;

/** Share of `rotate` by which it comes early, at most: so that many clients do not come together. */
const EARLY = 0.1;

/** The client's side: dials again, and shows the server by id where it has got. */
export class ClientRole implements Role {
  readonly #host: RoleHost;
  readonly #dial: Dial;
  readonly #settings: ResumeSettings;
  readonly #id: Buffer;
  readonly #backoff = new Backoff();
  readonly #network = new NetworkWatch(() => {
    this.#dialNow();
  });
  #connection: ResumedConnection | null = null;
  #attempt: Attempt | null = null;
  #retry: NodeJS.Timeout | undefined;
  #rotation: NodeJS.Timeout | undefined;
  #giveUp: NodeJS.Timeout | undefined;
  #referenced = true;
  #stopped = false;
  /** Called when there is no way back, where the stream does not wait for one. */
  #whenOver: (() => void) | null = null;
  /** Why there is no WebSocket, and since when. */
  #loss: { readonly error: Error; readonly at: number } | null = null;
  /** Why the last try has failed. */
  #failure: Error | null = null;
  /** Numbers that had passed, either way, when it last got a WebSocket. */
  #passedAtJoin = 0;

  constructor(host: RoleHost, dial: Dial, settings: ResumeSettings, id: Buffer) {
    this.#host = host;
    this.#dial = dial;
    this.#settings = settings;
    this.#id = id;
  }

  begin(connection: ResumedConnection): void {
    this.#connection = connection;
    this.#planRotation();
  }

  /** Says what comes first on each WebSocket, and goes on over it. */
  join(carrier: WebSocketCarrier): void {
    const connection = this.#connection;
    if (!connection) return;
    const { session } = connection;
    const { progress } = session;
    const hello = encodeHello({ id: this.#id, start: session.out.acked, ...progress });
    carrier.send(hello);
    session.in.startAt(progress.received);
    this.#passedAtJoin = passed(session);
    connection.attach(carrier, progress);
    this.#host.onCarrier(carrier.ws);
  }

  onLost(error: WsConnError): void {
    this.#lose(error);
    const { giveUpAfter } = this.#settings;
    this.#giveUp = setTimeout(() => {
      this.#onGiveUp();
    }, giveUpAfter);
    this.#refTimer(this.#giveUp);
    this.#host.onDisconnect(error);
    this.#comeBack();
  }

  sayAborted(done: () => void): void {
    this.#whenOver = done;
    this.#comeBack();
  }

  confirm(done: () => void): void {
    this.#whenOver = done;
    this.#comeBack();
  }

  stop(): void {
    this.#stopped = true;
    this.#rest();
    clearTimeout(this.#rotation);
    this.#attempt?.stop();
    this.#attempt = null;
  }

  setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    this.#attempt?.setReferenced(referenced);
    for (const timer of [this.#retry, this.#giveUp]) if (timer) this.#refTimer(timer);
  }

  #lose(error: Error): void {
    this.#loss ??= { error, at: performance.now() };
    this.#failure = null;
    clearTimeout(this.#rotation);
    if (this.#connection) this.#rateLast(this.#connection);
  }

  /** A path that lets nothing through, but handshakes, is not tried without a rest. */
  #rateLast({ session }: ResumedConnection): void {
    if (passed(session) > this.#passedAtJoin) this.#backoff.reset();
  }

  #comeBack(): void {
    if (this.#stopped) return;
    this.#network.start();
    this.#plan();
  }

  /** Ends what waits for a way back. */
  #rest(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#giveUp);
    this.#retry = this.#giveUp = undefined;
    this.#network.stop();
  }

  #plan(): void {
    // One is under way, to take over from the WebSocket that is lost now.
    if (this.#attempt || this.#stopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#try();
    }, this.#backoff.next());
    this.#refTimer(this.#retry);
  }

  #dialNow(): void {
    if (this.#attempt || this.#stopped) return;
    clearTimeout(this.#retry);
    this.#try();
  }

  #try(): void {
    const connection = this.#connection;
    if (!connection) return;
    const { received } = connection.session.progress;
    try {
      const ws = this.#dial(formatResumeRequest({ id: this.#id, received }));
      this.#attempt = new Attempt(ws, this.#host.settings, {
        onAccepted: (carrier, server) => {
          this.#attempt = null;
          this.#onAccepted(connection, carrier, server);
        },
        onRefused: (reason, error) => {
          this.#attempt = null;
          if (mayTryAgain(connection, reason, received)) this.#fail(error);
          else this.#onRefused(connection, reason, error);
        },
        onFailed: (error) => {
          this.#attempt = null;
          this.#fail(error);
        },
      });
      this.#attempt.setReferenced(this.#referenced);
    } catch (error) {
      // Of the function that gives the headers: its next answer may be better.
      this.#fail(error as Error);
    }
  }

  /** A try has failed, and another may not. */
  #fail(error: Error): void {
    this.#failure = error;
    this.#plan();
  }

  #onAccepted(connection: ResumedConnection, carrier: WebSocketCarrier, server: Progress): void {
    if (!connection.session.out.onProgress(server)) {
      carrier.link.terminate();
      this.#onRefused(connection, { reason: 'unsent' }, new Error('it names what was never sent'));
      return;
    }
    this.#rest();
    if (connection.ws && connection.end.settled) {
      // It has ended while this one was dialled.
      carrier.link.terminate();
      return;
    }
    this.#rateLast(connection);
    const loss = this.#loss;
    this.#loss = null;
    this.join(carrier);
    this.#planRotation();
    if (loss) this.#host.onReconnect(performance.now() - loss.at);
  }

  #onRefused(connection: ResumedConnection, reason: RefusalReason | null, cause: Error): void {
    if (!reason && !this.#loss && !this.#whenOver) {
      // The WebSocket that was to be given up still works, and the next try may meet a new token.
      this.#planRotation();
      return;
    }
    this.#rest();
    const { session } = connection;
    if (reason?.reason === 'finished')
      session.out.onProgress({ received: reason.received, consumed: 0 });
    if (this.#whenOver) {
      this.#whenOver();
    } else {
      connection.refused(refusedError(reason, connection.unackedBytes, cause));
    }
  }

  #onGiveUp(): void {
    const connection = this.#connection;
    if (!connection) return;
    const after = String(this.#settings.giveUpAfter);
    const happened = `no way back to the server was found within ${after} ms`;
    const cause = this.#failure ?? this.#loss?.error;
    const error = new WsConnError('ETIMEDOUT', `${happened}${stake(connection.unackedBytes)}`, {
      cause,
    });
    this.stop();
    connection.fail(error);
  }

  #planRotation(): void {
    clearTimeout(this.#rotation);
    const { rotate } = this.#settings;
    if (rotate === Infinity || this.#stopped) return;
    this.#rotation = setTimeout(
      () => {
        // The closing handshake would never end if each WebSocket gave way to another before it.
        if (this.#connection?.end.settled) return;
        this.#backoff.reset();
        this.#dialNow();
      },
      rotate * (1 - EARLY * Math.random()),
    ).unref();
  }

  #refTimer(timer: NodeJS.Timeout): void {
    if (this.#referenced) timer.ref();
    else timer.unref();
  }
}

/** Whether a refusal is no reason to give up. */
function mayTryAgain(
  { session, ws }: ResumedConnection,
  refusal: RefusalReason | null,
  asked: number,
): boolean {
  if (refusal?.reason === 'finished' || refusal?.reason === 'aborted') return false;
  // The next WebSocket was to take over from one that still works.
  if (ws) return true;
  // The WebSocket before has brought more since, which the server keeps no longer: the question was
  // out of date.
  return refusal?.reason === 'gone' && asked < session.in.received;
}

/** Returns how many numbers have passed, either way. */
function passed({ out, in: incoming }: ResumedConnection['session']): number {
  return out.acked + incoming.received;
}
