import { Counter, Gauge, type Registry } from 'prom-client';

/** One connection, as far as figures need it. */
export interface Flow {
  readonly kind: string;
  /**
   * Name of its target, empty for the one without; null where it has none, undefined while its
   * client has not said which.
   */
  readonly target: () => string | null | undefined;
  /** Bytes that came through WebSockets so far, and that went; left out for what carries others. */
  readonly bytes?: () => { readonly received: number; readonly sent: number };
}

/** A flow that is open, and what of it is counted already. */
interface Open {
  readonly flow: Flow;
  /** Whether it is among those that were opened. */
  isCounted: boolean;
  received: number;
  sent: number;
}

/** No target has such a name: it may have no parentheses. */
const UNNAMED = '(unnamed)';
const NONE = '(none)';
const OTHER = '(other)';

const LABELS = ['kind', 'target'] as const;
type Label = (typeof LABELS)[number];

/**
 * Counts connections and their bytes, by kind and target. Bytes of open ones are counted when
 * somebody asks. A label is never what a peer chose: only names that the operator gave.
 */
export class ConnectionFigures {
  readonly #names: () => readonly string[];
  /** Names that were configured at any time. */
  readonly #known = new Set<string>();
  readonly #open = new Map<object, Open>();
  readonly #total: Counter<Label>;
  readonly #failed: Counter<Label>;
  readonly #received: Counter<Label>;
  readonly #sent: Counter<Label>;

  /** @param names - returns the names of the targets that there are now */
  constructor(registry: Registry, names: () => readonly string[]) {
    this.#names = names;
    const counter = (name: string, help: string): Counter<Label> =>
      new Counter({
        name,
        help,
        labelNames: LABELS,
        registers: [registry],
        collect: () => {
          this.#count();
        },
      });
    const labelsOf = (open: Open): Record<Label, string> => this.#labelsOf(open);
    const all = this.#open;
    new Gauge({
      name: 'wsconn_open_connections',
      help: 'Connections that are open now.',
      labelNames: LABELS,
      registers: [registry],
      collect() {
        this.reset();
        for (const open of all.values()) this.inc(labelsOf(open));
      },
    });
    this.#total = counter('wsconn_connections_total', 'Connections that were opened.');
    this.#failed = counter('wsconn_connections_failed_total', 'Connections that failed.');
    this.#received = counter(
      'wsconn_received_bytes_total',
      'Bytes of payload that came through WebSockets.',
    );
    this.#sent = counter(
      'wsconn_sent_bytes_total',
      'Bytes of payload that went through WebSockets.',
    );
  }

  /** Counts a connection, and its bytes until it has closed. */
  opened(connection: object, flow: Flow): void {
    this.#open.set(connection, { flow, isCounted: false, received: 0, sent: 0 });
  }

  /** Counts the rest of a connection. */
  closed(connection: object, failed: boolean): void {
    const open = this.#open.get(connection);
    if (!open) return;
    this.#countOne(open);
    if (failed) this.#failed.inc(this.#labelsOf(open));
    this.#open.delete(connection);
  }

  /** Counts what has come to open connections; those that may still get a target count later. */
  #count(): void {
    for (const open of this.#open.values()) {
      if (open.flow.target() !== undefined) this.#countOne(open);
    }
  }

  #countOne(open: Open): void {
    const labels = this.#labelsOf(open);
    if (!open.isCounted) this.#total.inc(labels);
    open.isCounted = true;
    const bytes = open.flow.bytes?.();
    if (!bytes) return;
    this.#received.inc(labels, bytes.received - open.received);
    this.#sent.inc(labels, bytes.sent - open.sent);
    open.received = bytes.received;
    open.sent = bytes.sent;
  }

  #labelsOf({ flow }: Open): Record<Label, string> {
    return { kind: flow.kind, target: this.#labelOf(flow.target()) };
  }

  #labelOf(target: string | null | undefined): string {
    if (target === undefined || target === null) return NONE;
    if (target === '') return UNNAMED;
    for (const name of this.#names()) this.#known.add(name);
    return this.#known.has(target) ? target : OTHER;
  }
}
