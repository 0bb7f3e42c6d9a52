import type { Duplex } from 'node:stream';

/** What a measurement asks of a stream, the least that all have. */
export interface BenchStream {
  /** Returns whether more may be written at once. */
  write(chunk: Buffer): boolean;
  onDrain(listener: () => void): void;
  onData(listener: (length: number, chunk: Buffer) => void): void;
  /** Forwards another stream both ways, as one does it with this kind. */
  forward(source: Duplex): void;
}

/** The near end of one connection. */
export interface Connection {
  /** Opens a stream in it; those that are one stream have only that. */
  open(): Promise<BenchStream>;
  /** Ends it in good order, and waits until it is closed. */
  end(): Promise<void>;
  /** Ends it at once. */
  close(): void;
}

/** One way to carry bytes, or many streams of them. */
export interface Contestant {
  readonly name: string;
  /** Listens on a free port of loopback; returns the port. */
  listen(onStream: (stream: BenchStream) => void): Promise<number>;
  connect(port: number): Promise<Connection>;
}
