import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import type { Failures } from '../admit/failure-counts.ts';
import type { Handover, ToPrimary, ToWorker } from './messages.ts';

/** What the primary process tells this worker. */
interface WorkerEvents {
  connection: [socket: Socket];
  handover: [handover: Handover, socket: Socket];
  places: [more: number];
  recall: [further: boolean];
  figures: [id: number];
  reload: [];
  stopping: [];
  stop: [];
  /** The primary process is gone. */
  orphaned: [];
}

/** The end of a worker at which it talks with the primary process. */
export class Worker extends EventEmitter<WorkerEvents> implements Failures {
  /** From 1 on. */
  readonly number: number;
  readonly #delays = new Map<number, (ms: number) => void>();
  #failures = 0;
  /** Sockets that it was given and that are open. */
  #open = 0;
  #telling = false;

  constructor(number: number) {
    super();
    this.number = number;
    // A terminal or a service manager signals all; it is the primary process that says what follows.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => undefined);
    }
    process.on('message', (message, socket) => {
      this.#onMessage(message as ToWorker, socket as Socket | undefined);
    });
    process.on('disconnect', () => this.emit('orphaned'));
  }

  /** Tells the primary process something; resolves when that is out. */
  tell(message: ToPrimary, socket?: Socket): Promise<void> {
    return new Promise((resolve) => {
      if (!process.connected || !process.send) {
        socket?.destroy();
        resolve();
        return;
      }
      process.send(message, socket, {}, () => {
        resolve();
      });
    });
  }

  /** Counts a wrong token, where those of all workers are counted. */
  add(address: string): Promise<number> {
    const id = ++this.#failures;
    return new Promise((resolve) => {
      this.#delays.set(id, resolve);
      void this.tell({ type: 'failure', id, address });
    });
  }

  #onMessage(message: ToWorker, socket: Socket | undefined): void {
    switch (message.type) {
      case 'connection':
        if (socket) this.emit('connection', this.#count(socket));
        return;
      case 'handover':
        if (socket) this.emit('handover', message, this.#count(socket));
        return;
      case 'places':
        this.emit('places', message.more);
        return;
      case 'recall':
        this.emit('recall', message.further);
        return;
      case 'delay':
        this.#delays.get(message.id)?.(message.ms);
        this.#delays.delete(message.id);
        return;
      case 'figures':
        this.emit('figures', message.id);
        return;
      default:
        this.emit(message.type);
    }
  }

  /** Counts a socket while it is open: the primary process gives the next to who has fewest. */
  #count(socket: Socket): Socket {
    // As those that an HTTP server has accepted itself.
    socket.allowHalfOpen = true;
    this.#open++;
    socket.once('close', () => {
      this.#open--;
      this.#tellLoad();
    });
    return socket;
  }

  #tellLoad(): void {
    if (this.#telling) return;
    this.#telling = true;
    setImmediate(() => {
      this.#telling = false;
      void this.tell({ type: 'load', open: this.#open });
    });
  }
}
