/** Brings what the lines carry to the two ends. */
import type { ClientEnd, ServerEnd } from './ends.ts';
import type { Item, Line, Role } from './line.ts';

export const ROLES = ['client', 'server'] as const;
/** Messages that a sender gets rid of at once at most. */
const MOST_TAKEN = 200;

export class Deliveries {
  readonly #client: ClientEnd;
  readonly #server: ServerEnd;
  readonly #note: (what: string) => void;

  /** @param note - told what happens */
  constructor(client: ClientEnd, server: ServerEnd, note: (what: string) => void) {
    this.#client = client;
    this.#server = server;
    this.#note = note;
  }

  /** One side sees that a line is cut. */
  notice(line: Line, role: Role): void {
    if (line.gone[role]) return;
    this.#note(`the ${role} sees that line ${String(line.number)} is cut`);
    this.endOf(role).onClosed(line, false);
  }

  /**
   * The next item of a line arrives.
   * @param to - who gets it
   */
  deliver(line: Line, to: Role): void {
    const item = line.to(to).arrive();
    if (!item || line.gone[to]) return;
    this.#note(`line ${String(line.number)} brings the ${to} ${nameOf(item)}`);
    if (item.kind === 'close') {
      line.from[to].close();
      this.endOf(to).onClosed(line, true);
    } else if (to === 'client') {
      this.#bringClient(line, item);
    } else {
      this.#bringServer(line, item);
    }
  }

  #bringClient(line: Line, item: Item): void {
    const client = this.#client;
    if (item.kind === 'message') {
      if (client.current === line) client.onMessage(item.bytes);
    } else if (client.attempt === line && item.kind === 'accept') {
      client.onAccepted(line, item.header);
    } else if (client.attempt === line && item.kind === 'refusal') {
      client.onRefused(line, item.header);
    }
  }

  #bringServer(line: Line, item: Item): void {
    const server = this.#server;
    if (item.kind === 'request') server.onRequest(line, item.header);
    else if (item.kind !== 'message') return;
    else if (server.pending === line) server.onFirst(line, item.bytes);
    else if (server.current === line) server.onMessage(item.bytes);
  }

  /** All that is on its way arrives, and a cut is seen. */
  moveAll(line: Line): void {
    for (const role of ROLES) {
      const lane = line.from[role];
      for (let most = MOST_TAKEN; most > 0 && lane.waiting > 0; most--) lane.take();
      for (let most = line.to(role).inFlight; most > 0; most--) this.deliver(line, role);
      if (line.cutOff) this.notice(line, role);
    }
  }

  /** Returns the end of that side. */
  endOf(role: Role): ClientEnd | ServerEnd {
    return role === 'client' ? this.#client : this.#server;
  }
}

function nameOf(item: Item): string {
  if (item.kind !== 'message') return 'header' in item ? `${item.kind} ${item.header}` : item.kind;
  return `message of type ${String(item.bytes[0])}, ${String(item.bytes.length)} bytes`;
}
