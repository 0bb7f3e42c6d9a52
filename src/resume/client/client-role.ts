import type { WebSocket } from 'ws';

import { Deadline } from '../../base/deadline.ts';
import type { WsConnError } from '../../base/errors.ts';
import type { WebSocketCarrier } from '../socket/carrier.ts';
import type { ResumeSettings } from '../socket/resume-options.ts';
import { refusedError, timeLimitError } from '../socket/resume-errors.ts';
import type { ResumedConnection } from '../socket/resumed-connection.ts';
import type { Role, RoleHost } from '../socket/role.ts';
import { encodeHello, type Progress } from '../wire/message.ts';
import {
  formatNewRequest,
  formatResumeRequest,
  type Grant,
  readAccept,
  readGrant,
  type RefusalReason,
} from '../wire/resume-header.ts';
import { Attempt, type AttemptEvents } from './attempt.ts';
import { mayTryAgain, passed } from './may-try-again.ts';
import { Redialler, type Try } from './redialler.ts';

/** Opens a WebSocket to the server, with this value of the header WsConn-Resume. */
export type Dial = (header: string) => WebSocket;

/** Share of `rotate` by which it comes early, at most: so that many clients do not come together. */
const EARLY = 0.1;

/** The client's side: dials again, and shows the server by id where it has got. */
export class ClientRole implements Role {
  readonly #host: RoleHost;
  readonly #dial: Dial;
  readonly #settings: ResumeSettings;
  #id: Buffer;
  readonly #redialler = new Redialler(
    () => this.#try(),
    // Of the function that gives the headers: its next answer may be better.
    (error) => {
      this.#fail(error);
    },
  );
  #connection: ResumedConnection | null = null;
  /** Whether the server has begun no session, and the next handshake asks for a new one. */
  #anew = false;
  #rotation: NodeJS.Timeout | undefined;
  readonly #giveUp = new Deadline(() => {
    this.#onGiveUp();
  });
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
    this.#giveUp.start(this.#settings.giveUpAfter);
    this.#host.onDisconnect(error);
    this.#redialler.start();
  }

  hurry(): void {
    this.#redialler.now();
  }

  sayAborted(done: () => void): void {
    this.#whenOver = done;
    this.#redialler.start();
  }

  confirm(done: () => void): void {
    this.#whenOver = done;
    this.#redialler.start();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#rotation);
    this.#giveUp.stop();
    this.#redialler.stop();
  }

  setReferenced(referenced: boolean): void {
    this.#redialler.setReferenced(referenced);
  }

  #lose(error: Error): void {
    this.#loss ??= { error, at: performance.now() };
    this.#failure = null;
    clearTimeout(this.#rotation);
    if (this.#connection) this.#rateLast(this.#connection);
  }

  /** A path that lets nothing through, but handshakes, is not tried without a rest. */
  #rateLast({ session }: ResumedConnection): void {
    if (passed(session) > this.#passedAtJoin) this.#redialler.reset();
  }

  /** Ends what waits for a way back. */
  #rest(): void {
    this.#giveUp.stop();
    this.#redialler.pause();
  }

  #try(): Try {
    const connection = this.#connection;
    if (!connection) throw new Error('a connection that has not begun does not come back');
    return this.#anew ? this.#askAnew(connection) : this.#askBack(connection);
  }

  #askBack(connection: ResumedConnection): Try {
    const { received } = connection.session.progress;
    return this.#ask(formatResumeRequest({ id: this.#id, received }), readAccept, {
      onAccepted: (carrier, server) => {
        this.#onAccepted(connection, carrier, server);
      },
      onRefused: (reason, error) => {
        if (reason?.reason === 'unbegun' && passed(connection.session) === 0) {
          this.#onUnbegun(connection);
        } else if (mayTryAgain(connection, reason, received)) {
          this.#fail(error);
        } else {
          this.#onRefused(connection, reason, error);
        }
      },
    });
  }

  /** No HELLO has come to the server, so nothing has: all is sent again in a new session. */
  #askAnew(connection: ResumedConnection): Try {
    return this.#ask(formatNewRequest(this.#settings), readGrant, {
      onAccepted: (carrier, grant) => {
        this.#onGranted(connection, carrier, grant);
      },
      onRefused: (reason, error) => {
        this.#onRefused(connection, reason, error);
      },
    });
  }

  #ask<Answer>(
    header: string,
    read: (header: string | string[] | undefined) => Answer | null,
    { onAccepted, onRefused }: Omit<AttemptEvents<Answer>, 'onFailed'>,
  ): Try {
    return new Attempt(this.#dial(header), this.#host.settings, read, {
      onAccepted: (carrier, answer) => {
        this.#redialler.done();
        onAccepted(carrier, answer);
      },
      onRefused: (reason, error) => {
        this.#redialler.done();
        onRefused(reason, error);
      },
      onFailed: (error) => {
        this.#redialler.done();
        this.#fail(error);
      },
    });
  }

  /** A try has failed, and another may not. */
  #fail(error: Error): void {
    this.#failure = error;
    this.#redialler.plan();
  }

  #onUnbegun({ ws }: ResumedConnection): void {
    if (this.#whenOver) {
      // There is nobody to tell.
      this.#rest();
      this.#whenOver();
      return;
    }
    this.#anew = true;
    // The server has ended the WebSocket that may still be there; its end dials.
    if (ws) ws.terminate();
    else this.#redialler.now();
  }

  #onGranted(connection: ResumedConnection, carrier: WebSocketCarrier, grant: Grant): void {
    const { out } = connection.session;
    if (out.unackedBytes > grant.window) {
      // Another server than before.
      carrier.link.terminate();
      this.#onRefused(connection, null, new Error('the server takes fewer bytes than were sent'));
      return;
    }
    this.#anew = false;
    this.#id = grant.id;
    out.peerWindow = grant.window;
    this.#onBack(connection, carrier);
  }

  #onAccepted(connection: ResumedConnection, carrier: WebSocketCarrier, server: Progress): void {
    if (!connection.session.out.onProgress(server)) {
      carrier.link.terminate();
      this.#onRefused(connection, { reason: 'unsent' }, new Error('it names what was never sent'));
      return;
    }
    this.#onBack(connection, carrier);
  }

  #onBack(connection: ResumedConnection, carrier: WebSocketCarrier): void {
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
    this.stop();
    connection.fail(timeLimitError(happened, connection.unackedBytes, cause));
  }

  #planRotation(): void {
    clearTimeout(this.#rotation);
    const { rotate } = this.#settings;
    if (rotate === Infinity || this.#stopped) return;
    this.#rotation = setTimeout(
      () => {
        // The closing handshake would never end if each WebSocket gave way to another before it.
        if (this.#connection?.end.settled) return;
        this.#redialler.reset();
        this.#redialler.now();
      },
      rotate * (1 - EARLY * Math.random()),
    ).unref();
  }
}
