import { Counter, type Registry } from 'prom-client';

/** What refusals are called, by the HTTP status of the answer (RFC 9110, section 15; RFC 6585). */
const REASONS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  426: 'upgrade_required',
  429: 'too_many_requests',
  431: 'headers_too_large',
  503: 'unavailable',
};
const OTHER = 'other';

/** Counts what is refused, by its reason. */
export class RefusalFigures {
  readonly #handshakes: Counter<'reason'>;
  readonly #streams: Counter;

  constructor(registry: Registry) {
    this.#handshakes = new Counter({
      name: 'wsconn_refused_total',
      help: 'Handshakes that were refused.',
      labelNames: ['reason'],
      registers: [registry],
    });
    this.#streams = new Counter({
      name: 'wsconn_streams_refused_total',
      help: 'Streams of multiplexers that were reset because too many were open.',
      registers: [registry],
    });
    // A rate needs a first value.
    for (const reason of [...Object.values(REASONS), OTHER]) this.#handshakes.inc({ reason }, 0);
  }

  /** Counts a handshake that was answered with an HTTP status. */
  handshake(status: number): void {
    this.#handshakes.inc({ reason: REASONS[status] ?? OTHER });
  }

  stream(): void {
    this.#streams.inc();
  }
}
