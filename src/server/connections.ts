import type { WsConnSocket } from '../adapter/wsconn-socket.ts';

/**
 * Counts the connections of a server: those that are open, and those that linger, whose stream is
 * done while the peer still reads from their socket.
 */
export class Connections {
  readonly #open = new Set<WsConnSocket>();
  /** The longest lingering first. */
  readonly #lingering = new Set<WsConnSocket>();
  /** Those that were cut, and whose socket is about to go. */
  readonly #cut = new Set<WsConnSocket>();
  /** Called when the last one is gone; null until the server closes. */
  #whenEmpty: (() => void) | null = null;
  /** Whether none may linger any more. */
  #outOfTime = false;

  /** Connections that are open or linger. */
  get size(): number {
    return this.#open.size + this.#lingering.size;
  }

  /** Connections that are open, and do not give way. */
  get open(): number {
    return this.#open.size;
  }

  add(adapter: WsConnSocket): void {
    this.#open.add(adapter);
    adapter.onceClosed(() => {
      this.#onClosed(adapter);
    });
  }

  /** Cuts the one that lingers longest, if any does. */
  cutLongestLingering(): void {
    const [oldest] = this.#lingering;
    if (oldest) this.#terminate(oldest);
  }

  /**
   * Closes those that are open with `code`, and gives those that linger `closeTimeout` ms. Resolves
   * when none is left; called once.
   */
  async close(code: number, closeTimeout: number): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const adapter of this.#open) void adapter.close(code);
    const limit = setTimeout(() => {
      this.#outOfTime = true;
      for (const adapter of this.#lingering) this.#terminate(adapter);
    }, closeTimeout);
    this.#reportIfEmpty();
    await empty;
    clearTimeout(limit);
  }

  #onClosed(adapter: WsConnSocket): void {
    const { ws } = adapter;
    this.#open.delete(adapter);
    if (ws && ws.readyState !== ws.CLOSED) {
      this.#lingering.add(adapter);
      ws.once('close', () => {
        this.#lingering.delete(adapter);
        this.#cut.delete(adapter);
        this.#reportIfEmpty();
      });
      if (this.#outOfTime) this.#terminate(adapter);
    }
    this.#reportIfEmpty();
  }

  #terminate(adapter: WsConnSocket): void {
    this.#lingering.delete(adapter);
    this.#cut.add(adapter);
    adapter.ws?.terminate();
  }

  #reportIfEmpty(): void {
    if (this.size + this.#cut.size === 0) this.#whenEmpty?.();
  }
}
