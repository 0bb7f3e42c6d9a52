/**
 * What the page and the server say to each other: one JSON object in each text message.
 *
 * Why JSON, and not the raw bytes of the terminal: what is typed, what is shown, the size, and the
 * end have one order, the same channel carries all of them, and a byte that means "resize" would
 * need an escape. xterm.js takes text: the server decodes UTF-8, with a decoder that keeps the
 * first half of a character for the chunk that brings the other.
 *
 * Positions count UTF-16 code units since the shell began, as `length` of a string does.
 */

/** How large a terminal is, in characters. */
export interface Size {
  readonly cols: number;
  readonly rows: number;
}

export type FromPage =
  /** The first message. With `shell` it asks for the one that it had before the cut. */
  | {
      readonly type: 'hello';
      readonly token: string;
      readonly size: Size;
      readonly shell?: { readonly id: string; readonly received: number };
    }
  | { readonly type: 'input'; readonly data: string }
  | { readonly type: 'resize'; readonly size: Size }
  /** The terminal has drawn the output up to this position: more may come. */
  | { readonly type: 'ack'; readonly position: number }
  /** A page cannot see the pings of the WebSocket, so it asks in its own words. */
  | { readonly type: 'ping' };

export type FromServer =
  /** The answer to 'hello': a new shell, or the old one, which has `received` so much input. */
  | {
      readonly type: 'shell';
      readonly id: string;
      readonly name: string;
      readonly resumed: boolean;
      readonly received: number;
    }
  | { readonly type: 'output'; readonly data: string }
  /** The shell has taken the input up to this position. */
  | { readonly type: 'ack'; readonly position: number }
  | { readonly type: 'exit'; readonly text: string }
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'pong' };

/**
 * Code with which a page closes the WebSocket when it is left, so that its shell ends at once.
 * Scripts cannot send 1001; browsers send that by themselves where they discard the page.
 */
export const PAGE_LEFT = 4001;
/** Code with which either side gives up a WebSocket whose shell goes on in another. */
export const REPLACED = 4002;
