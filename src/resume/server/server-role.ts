import type { WsConnError } from '../../base/errors.ts';
import type { WebSocketCarrier } from '../socket/carrier.ts';
import type { ResumedConnection } from '../socket/resumed-connection.ts';
import type { Role, RoleHost } from '../socket/role.ts';
import type { Hello } from '../wire/message.ts';
import type { RefusalReason } from '../wire/resume-header.ts';
import type { Entry, SessionTable } from './session-table.ts';

/** What the client was told of us on the new WebSocket. */
const NOTHING_TOLD = { received: 0, consumed: 0 };

/** The server's side: holds the session until its client is back. */
export class ServerRole implements Role {
  readonly #host: RoleHost;
  readonly #table: SessionTable;
  readonly #id: Buffer;
  readonly #identity: string | undefined;
  #entry: Entry | null = null;
  #lostAt: number | null = null;

  constructor(host: RoleHost, table: SessionTable, id: Buffer, identity: string | undefined) {
    this.#host = host;
    this.#table = table;
    this.#id = id;
    this.#identity = identity;
  }

  /** The client has shown that it knows the session. */
  begin(connection: ResumedConnection): void {
    this.#entry = { id: this.#id, identity: this.#identity, connection, join: this.join };
    this.#table.add(this.#entry);
  }

  /**
   * A client has shown that it knows the session, and where it goes on; returns what is wrong with
   * that, or null.
   */
  readonly join = (carrier: WebSocketCarrier, hello: Hello): string | null => {
    const entry = this.#entry;
    if (!entry) return 'the connection has ended';
    const { connection } = entry;
    const { session } = connection;
    const { start, received, consumed } = hello;
    if (start > session.in.received) return 'it leaves out bytes that did not come';
    if (received < session.out.acked) return 'it asks for bytes that are gone';
    if (received > session.out.sent) return 'it has more bytes than were sent';
    session.out.onProgress({ received, consumed });
    session.in.startAt(start);
    this.#table.release(entry);
    connection.attach(carrier, NOTHING_TOLD);
    // The client waits for a sign that it was heard.
    session.confirm();
    this.#host.onCarrier(carrier.ws);
    if (this.#lostAt !== null) this.#host.onReconnect(performance.now() - this.#lostAt);
    this.#lostAt = null;
    return null;
  };

  onLost(error: WsConnError): void {
    this.#lostAt = performance.now();
    this.#host.onDisconnect(error);
    if (this.#entry) this.#table.hold(this.#entry, error);
  }

  hurry(): void {
    // It is the client that brings one.
  }

  sayAborted(done: () => void): void {
    done();
  }

  confirm(done: () => void): void {
    done();
  }

  stop(): void {
    if (this.#entry) this.#table.bury(this.#entry, this.#outcome(this.#entry.connection));
    this.#entry = null;
  }

  setReferenced(): void {
    // What waits for a client keeps no process alive: the server that listens does.
  }

  #outcome({ session, end }: ResumedConnection): RefusalReason {
    if (session.complete) return { reason: 'finished', received: session.in.received };
    return { reason: 'aborted', close: end.said };
  }
}
