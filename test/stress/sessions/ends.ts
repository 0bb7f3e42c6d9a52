/** The two roles of a session under test: how each goes on over a new line, and when it is done. */
import type { RefusalReason } from '../../../src/resume/wire/resume-header.ts';
import { formatAccept, formatRefusal, readAccept } from '../../../src/resume/wire/resume-header.ts';
import { formatResumeRequest, readRefusalReason } from '../../../src/resume/wire/resume-header.ts';
import { readRequest } from '../../../src/resume/wire/resume-header.ts';
import { ClientRole } from '../../../src/resume/client/client-role.ts';
import { ServerRole } from '../../../src/resume/server/server-role.ts';
import { SessionTable } from '../../../src/resume/server/session-table.ts';
import type { WebSocketCarrier } from '../../../src/resume/socket/carrier.ts';
import type { ResumedConnection } from '../../../src/resume/socket/resumed-connection.ts';
import { resumeOption, type ResumeSettings } from '../../../src/resume/socket/resume-options.ts';
import type { RoleHost } from '../../../src/resume/socket/role.ts';
import { decode, encodeClose, ID_BYTES, type Progress } from '../../../src/resume/wire/message.ts';
import type { Line, Role } from './line.ts';
import type { WatchedSession } from './watched-session.ts';

const ID = Buffer.alloc(ID_BYTES, 7);
const BROKEN_OFF = { code: 1006, reason: '' };
/** Longer than any history: nobody gives up. */
const FOREVER = 2 ** 31 - 1;
const SETTINGS = resumeOption({ holdTime: FOREVER }) as ResumeSettings;

/** Time limits and events are the socket's: a session has none. */
const HOST = {
  onDisconnect: () => undefined,
  onReconnect: () => undefined,
  onCarrier: () => undefined,
} as unknown as RoleHost;

/** What the roles of the package touch of a line, and of the connection that they serve. */
function carrierOf(line: Line, role: Role): WebSocketCarrier {
  return line.from[role] as unknown as WebSocketCarrier;
}

abstract class End {
  readonly user: WatchedSession;
  current: Line | null = null;
  /** Whether nothing is left to say or to hear, and no line is needed. */
  done = false;
  readonly #role: Role;

  constructor(user: WatchedSession, role: Role) {
    this.user = user;
    this.#role = role;
  }

  /** Breaks off. */
  abort(): void {
    if (this.user.over || this.done) return;
    this.user.aborting = true;
    if (this.current) this.#sayAbort(this.current);
    else this.onAbortWithoutLine();
  }

  /** A message came over the line that it runs over. */
  onMessage(bytes: Buffer): void {
    if (this.user.over) return;
    this.user.session.onMessage(bytes);
    this.#onProgress();
  }

  /** Something may have changed by which all is said and heard. */
  afterStep(): void {
    if (this.current && !this.done) this.#onProgress();
  }

  /** @param heard - whether the line was closed, not cut */
  onClosed(line: Line, heard: boolean): void {
    line.gone[this.#role] = true;
    if (this.current !== line) {
      this.onOtherClosed(line);
      return;
    }
    this.current = null;
    const { session, aborting, aborted } = this.user;
    session.detach();
    if (aborting && !heard) this.onAbortWithoutLine();
    else if (aborting || aborted || session.out.endAcked) this.finish();
    else if (session.complete && heard) this.finish();
    else if (session.complete) this.onUnconfirmed();
    else this.onLost();
  }

  /** Connection that its role of the package is made for. */
  protected connectionOf(attach: (carrier: WebSocketCarrier, told: Progress) => void) {
    const end = { said: BROKEN_OFF };
    return { session: this.user.session, end, attach } as unknown as ResumedConnection;
  }

  protected attachTo(line: Line, told: Progress): void {
    const old = this.current;
    this.current = line;
    old?.from[this.#role].close();
    if (this.user.aborting) this.#sayAbort(line);
    else this.user.session.attach(line.from[this.#role], told);
    this.#onProgress();
  }

  protected finish(): void {
    this.done = true;
  }

  protected abstract onOtherClosed(line: Line): void;
  protected abstract onAbortWithoutLine(): void;
  protected abstract onUnconfirmed(): void;
  protected abstract onLost(): void;

  #sayAbort(line: Line): void {
    this.user.session.detach();
    line.from[this.#role].send(encodeClose('abort', BROKEN_OFF));
    line.from[this.#role].close();
  }

  #onProgress(): void {
    const { session, aborted } = this.user;
    if (!this.current) return;
    if (session.complete) session.acknowledgeNow();
    if (session.complete || aborted) this.current.from[this.#role].close();
  }
}

export class ClientEnd extends End {
  attempt: Line | null = null;
  readonly #role = new ClientRole(HOST, neverDial, SETTINGS, ID);

  constructor(user: WatchedSession) {
    super(user, 'client');
    this.#role.begin(
      this.connectionOf((_carrier, told) => {
        if (this.#joining) this.attachTo(this.#joining, told);
      }),
    );
  }

  #joining: Line | null = null;

  /** Asks over a line to go on. */
  ask(line: Line): void {
    this.attempt = line;
    line.asked = this.user.session.progress.received;
    const header = formatResumeRequest({ id: ID, received: line.asked });
    line.from.client.put({ kind: 'request', header });
  }

  onAccepted(line: Line, header: string): void {
    this.attempt = null;
    const server = readAccept(header);
    if (!server || !this.user.session.out.onProgress(server)) {
      throw this.user.broken(`it was accepted with ${header}`);
    }
    this.#joining = line;
    this.#role.join(carrierOf(line, 'client'));
  }

  onRefused(line: Line, header: string): void {
    this.attempt = null;
    const { user } = this;
    const { session } = user;
    const refusal = readRefusalReason(header);
    if (refusal?.reason === 'finished') {
      session.out.onProgress({ received: refusal.received, consumed: 0 });
      if (!session.complete && !user.aborting) throw user.broken(`it was refused: ${header}`);
    } else if (refusal?.reason === 'aborted') {
      user.aborted = true;
    } else if (refusal?.reason === 'gone' && line.asked < session.in.received) {
      // What has come since over the line before was acknowledged: the question is out of date.
      return;
    } else {
      throw user.broken(`it was refused: ${header}`);
    }
    this.finish();
  }

  protected override onOtherClosed(line: Line): void {
    if (this.attempt === line) this.attempt = null;
  }

  protected override onAbortWithoutLine(): void {
    // It dials once more for it.
  }

  protected override onUnconfirmed(): void {
    // It dials once more: the server may lack the last acknowledgement.
  }

  protected override onLost(): void {
    // It dials.
  }
}

export class ServerEnd extends End {
  /** Line whose client has not shown yet that it saw the answer. */
  pending: Line | null = null;
  readonly #table = new SessionTable(SETTINGS);
  readonly #role = new ServerRole(HOST, this.#table, ID, undefined);
  #joining: Line | null = null;

  constructor(user: WatchedSession) {
    super(user, 'server');
    this.#role.begin(
      this.connectionOf((_carrier, told) => {
        if (this.#joining) this.attachTo(this.#joining, told);
      }),
    );
  }

  /** Answers to a handshake. */
  onRequest(line: Line, header: string): void {
    const asked = readRequest(header);
    if (!asked || !('id' in asked)) throw this.user.broken(`a request is not read: ${header}`);
    const claim = this.#table.claim(asked, undefined);
    if ('entry' in claim) {
      const { progress } = this.user.session;
      line.from.server.put({ kind: 'accept', header: formatAccept(progress) });
      if (this.pending) terminate(this.pending);
      this.pending = line;
      return;
    }
    const refusal: RefusalReason = 'refusal' in claim ? claim.refusal : { reason: 'unknown' };
    line.from.server.put({ kind: 'refusal', header: formatRefusal(refusal) });
    line.from.server.close();
  }

  /** What a client says first on a line. */
  onFirst(line: Line, bytes: Buffer): void {
    this.pending = null;
    const message = decode(bytes);
    if (typeof message === 'string' || message.type !== 'hello') {
      throw this.user.broken('the first message is no HELLO');
    }
    this.#joining = line;
    const problem = this.#role.join(carrierOf(line, 'server'), message.hello);
    // A session that has ended meanwhile tells it at the next handshake.
    if (problem === 'the connection has ended') terminate(line);
    else if (problem !== null) throw this.user.broken(`a HELLO is refused: ${problem}`);
  }

  protected override finish(): void {
    super.finish();
    this.#role.stop();
  }

  protected override onOtherClosed(line: Line): void {
    if (this.pending === line) this.pending = null;
  }

  protected override onAbortWithoutLine(): void {
    this.finish();
  }

  protected override onUnconfirmed(): void {
    this.finish();
  }

  protected override onLost(): void {
    // Its client comes back.
  }
}

/** The server has nothing more to do with it. */
function terminate(line: Line): void {
  line.cutOff = true;
  line.gone.server = true;
  line.from.server.cut(Infinity);
}

function neverDial(): never {
  throw new Error('a history dials by itself');
}
