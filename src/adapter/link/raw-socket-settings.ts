import type { RawSocket } from '../../websocket/raw-socket.ts';

/** Settings of the socket below a WebSocket, kept until there is one. */
export class RawSocketSettings {
  #raw: RawSocket | null = null;
  #referenced = true;
  #noDelay: boolean | undefined;
  #keepAlive: { readonly enable: boolean; readonly initialDelay: number } | undefined;

  /** Whether it keeps the process alive. */
  get referenced(): boolean {
    return this.#referenced;
  }

  /** The socket is there: applies what was set before. */
  applyTo(raw: RawSocket): void {
    this.#raw = raw;
    if (!this.#referenced) raw.unref?.();
    if (this.#noDelay !== undefined) raw.setNoDelay?.(this.#noDelay);
    if (this.#keepAlive) raw.setKeepAlive?.(this.#keepAlive.enable, this.#keepAlive.initialDelay);
  }

  /** Has another socket set as this one is. */
  copyTo(other: RawSocketSettings): void {
    other.setReferenced(this.#referenced);
    if (this.#noDelay !== undefined) other.setNoDelay(this.#noDelay);
    if (this.#keepAlive) other.setKeepAlive(this.#keepAlive.enable, this.#keepAlive.initialDelay);
  }

  setNoDelay(noDelay: boolean): void {
    this.#noDelay = noDelay;
    this.#raw?.setNoDelay?.(noDelay);
  }

  setKeepAlive(enable: boolean, initialDelay: number): void {
    this.#keepAlive = { enable, initialDelay };
    this.#raw?.setKeepAlive?.(enable, initialDelay);
  }

  setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    // net.Socket would take a ref() after its end for one before its connection, and keep a
    // listener for each.
    if (this.#raw?.destroyed === true) return;
    if (referenced) this.#raw?.ref?.();
    else this.#raw?.unref?.();
  }
}
