/** One random history of two sessions and the lines between them, from a seed. */
import { MAX_DATA_HEADER } from '../../../src/resume/wire/message.ts';
import { random } from '../cuts/random.ts';
import { SimulatedClock } from '../keepalive/simulated-clock.ts';
import { Deliveries, ROLES } from './deliveries.ts';
import { ClientEnd, ServerEnd } from './ends.ts';
import { Line, type Role } from './line.ts';
import { Broken, type EndSettings, WatchedSession } from './watched-session.ts';

/** Rounds in which all must be said and heard once nothing is cut any more. */
const MOST_ROUNDS = 3_000;
/** Time in ms of such a round: an acknowledgement that waits comes with every second. */
const ROUND = 30;
/** Windows that one write fills at most, and messages. */
const MOST_WINDOWS = 20;
const MOST_MESSAGES = 200;
/** Lines of the trace that a failure shows. */
const SHOWN = 60;

/** How often something was done, over all histories. */
export interface Tally {
  histories: number;
  steps: number;
  lines: number;
  cuts: number;
  bytes: number;
}

/** How a history goes: what is drawn from its seed once. */
interface Temper {
  readonly steps: number;
  readonly mostBytes: number;
  readonly cutting: number;
  readonly ending: number;
  readonly rotating: boolean;
}

export class History {
  readonly #random: () => number;
  readonly #clock = new SimulatedClock();
  readonly #tally: Tally;
  readonly #temper: Temper;
  readonly #users: Readonly<Record<Role, WatchedSession>>;
  readonly #client: ClientEnd;
  readonly #server: ServerEnd;
  readonly #deliveries: Deliveries;
  readonly #lines = new Set<Line>();
  readonly #trace: string[] = [];
  #opened = 0;
  #mostAtOnce = Infinity;

  constructor(seed: number, tally: Tally) {
    this.#random = random(seed);
    this.#tally = tally;
    this.#temper = {
      steps: this.#pick([20, 60, 150, 400]),
      mostBytes: this.#pick([3, 100, 5_000, 200_000]),
      cutting: this.#pick([0.01, 0.05, 0.2]),
      ending: this.#pick([0.002, 0.02, 0.1]),
      rotating: this.#chance(0.5),
    };
    const [ofClient, ofServer] = [this.#settings(), this.#settings()];
    this.#trace.push(JSON.stringify({ ...this.#temper, ofClient, ofServer }));
    this.#users = {
      client: new WatchedSession('client', ofClient, ofServer.window),
      server: new WatchedSession('server', ofServer, ofClient.window),
    };
    this.#users.client.peer = this.#users.server;
    this.#users.server.peer = this.#users.client;
    this.#client = new ClientEnd(this.#users.client);
    this.#server = new ServerEnd(this.#users.server);
    this.#deliveries = new Deliveries(this.#client, this.#server, (what) => {
      this.#note(what);
    });
  }

  /** @throws Broken, with what happened */
  run(): void {
    this.#clock.install();
    try {
      for (let step = 0; step < this.#temper.steps; step++) {
        this.#act();
        this.#afterStep();
      }
      if (this.#chance(0.3)) this.#oneReaderStops();
      this.#settle();
      for (const role of ROLES) this.#users[role].judge();
    } catch (error) {
      const shown = this.#trace.slice(1).slice(-SHOWN).join('\n  ');
      const message = error instanceof Broken ? error.message : String((error as Error).stack);
      throw new Broken(`${message}\n${this.#trace[0] ?? ''}\n  ${shown}`);
    } finally {
      for (const role of ROLES) this.#users[role].session.clear();
      this.#clock.uninstall();
    }
    this.#tally.histories++;
    this.#tally.lines += this.#opened;
    this.#tally.bytes += this.#users.client.received + this.#users.server.received;
  }

  #settings(): EndSettings {
    const window = this.#pick([1, 50, 1_000, 65_536, 1_000_000]);
    const maxMessageSize = this.#pick([20, 100, 4_096, 65_536]);
    this.#mostAtOnce = Math.min(
      this.#mostAtOnce,
      MOST_WINDOWS * window,
      MOST_MESSAGES * Math.max(1, maxMessageSize - MAX_DATA_HEADER),
    );
    return {
      window,
      maxMessageSize,
      highWaterMark: this.#pick([1, 1_000, 16_384, 262_144]),
    };
  }

  #act(): void {
    this.#tally.steps++;
    const role = this.#pick(ROLES);
    if (this.#chance(this.#temper.cutting)) this.#cut();
    else if (this.#chance(this.#temper.ending)) this.#end(role);
    else if (this.#chance(0.2)) this.#use(role);
    else if (this.#chance(0.15)) this.#dial();
    else if (this.#chance(0.1)) this.#pass(this.#pick([0, 0, 1, 60]));
    else this.#moveSome();
  }

  /** The user of one side writes, or reads, or stops to read. */
  #use(role: Role): void {
    const user = this.#users[role];
    // More would take too many rounds to get through.
    const most = Math.min(this.#temper.mostBytes, this.#mostAtOnce);
    const size = 1 + Math.floor(this.#random() ** 3 * most);
    if (this.#chance(0.6)) {
      if (user.finWanted || user.endWanted || user.over || user.wanted > most) return;
      this.#note(`${role} writes ${String(size)}`);
      user.wanted += size;
      user.append();
    } else if (user.reading) {
      this.#note(`${role} stops to read`);
      user.reading = false;
    } else if (this.#chance(0.5)) {
      this.#note(`${role} reads ${String(size)} of ${String(user.unread)}`);
      user.read(size);
    } else {
      this.#readOn(user);
    }
  }

  #end(role: Role): void {
    const user = this.#users[role];
    if (user.over) return;
    if (this.#chance(0.6)) {
      if (user.endWanted) return;
      this.#note(`${role} ends its direction`);
      user.finWanted = true;
    } else if (this.#chance(0.7)) {
      if (user.endWanted) return;
      this.#note(`${role} says END`);
      user.endWanted = { code: this.#pick([1000, 4000]), reason: 'x' };
    } else {
      this.#note(`${role} breaks off`);
      (role === 'client' ? this.#client : this.#server).abort();
      return;
    }
    user.append();
  }

  /** The client dials, or gives up a dial; with a line, only where it rotates. */
  #dial(): void {
    const { attempt, current, done } = this.#client;
    if (attempt) {
      if (!this.#chance(0.2)) return;
      this.#note(`the client gives up line ${String(attempt.number)}`);
      this.#client.attempt = null;
      attempt.cutOff = true;
      attempt.gone.client = true;
      // What it has sent may still get there.
      attempt.from.client.cut(Infinity);
    } else if (!done && (!current || (this.#temper.rotating && this.#chance(0.3)))) {
      this.#open();
    }
  }

  #open(): void {
    const line = new Line(++this.#opened);
    this.#lines.add(line);
    this.#client.ask(line);
    this.#note(`the client dials line ${String(line.number)}: ${String(line.asked)} received`);
  }

  #cut(): void {
    const line = this.#pickLine();
    if (!line) return;
    this.#tally.cuts++;
    line.cutOff = true;
    for (const role of ROLES) {
      const lane = line.from[role];
      const kept = Math.floor(this.#random() * (lane.inFlight + 1));
      this.#note(`line ${String(line.number)} is cut, ${String(kept)} of the ${role} still come`);
      lane.cut(kept);
    }
  }

  /** Items move, or somebody notices that a line is cut. */
  #moveSome(): void {
    const line = this.#pickLine();
    if (!line) return;
    const role = this.#pick(ROLES);
    const many = this.#pick([1, 1, 3, 20]);
    if (line.cutOff && this.#chance(0.3)) this.#deliveries.notice(line, role);
    else if (this.#chance(0.5)) for (let i = 0; i < many; i++) line.from[role].take();
    else for (let i = 0; i < many; i++) this.#deliveries.deliver(line, role);
  }

  #afterStep(): void {
    for (const role of ROLES) {
      this.#deliveries.endOf(role).afterStep();
      this.#users[role].check();
    }
    for (const line of this.#lines) {
      if (line.gone.client && line.gone.server) this.#lines.delete(line);
    }
  }

  /** While one does not read, the other still gets all, also across a line that is cut. */
  #oneReaderStops(): void {
    const stopped = this.#pick(ROLES);
    const other = stopped === 'client' ? 'server' : 'client';
    this.#note(`the ${stopped} does not read, and the ${other} does`);
    this.#users[stopped].reading = false;
    this.#readOn(this.#users[other]);
    const user = this.#users[stopped];
    const isThere = (): boolean =>
      user.over ||
      this.#users[other].over ||
      (user.wanted === 0 && this.#users[other].received === user.written);
    this.#untilThat(isThere, `the ${other} does not get what the ${stopped} has written`);
  }

  /** Nothing is cut any more, everybody reads, and both directions end. */
  #settle(): void {
    this.#note('everybody reads, and ends');
    for (const role of ROLES) {
      this.#readOn(this.#users[role]);
      this.#users[role].finWanted = true;
      this.#users[role].append();
    }
    const isOver = (): boolean => this.#client.done && this.#server.done;
    this.#untilThat(isOver, 'it does not come to an end');
  }

  #untilThat(isThere: () => boolean, what: string): void {
    for (let round = 0; !isThere(); round++) {
      if (round > MOST_ROUNDS) throw new Broken(`${what}: ${this.#state()}`);
      const { current, attempt, done } = this.#client;
      if (!current && !attempt && !done) this.#open();
      for (const line of this.#lines) this.#deliveries.moveAll(line);
      this.#clock.pass(ROUND);
      this.#afterStep();
    }
  }

  #state(): string {
    const states = ROLES.map((role) => {
      const { wanted, unread, session } = this.#users[role];
      const { current, done } = this.#deliveries.endOf(role);
      const { acked, sent, written } = session.out;
      const line = current?.number;
      return JSON.stringify({ role, done, line, wanted, unread, acked, sent, written });
    });
    return states.join(', ');
  }

  #readOn(user: WatchedSession): void {
    this.#note(`${user.role} reads on, ${String(user.unread)} first`);
    user.reading = true;
    user.read(user.unread);
  }

  #pass(ms: number): void {
    this.#note(`${String(ms)} ms pass`);
    this.#clock.pass(ms);
  }

  #note(what: string): void {
    this.#trace.push(what);
  }

  #pickLine(): Line | undefined {
    return this.#lines.size === 0 ? undefined : this.#pick([...this.#lines]);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}
