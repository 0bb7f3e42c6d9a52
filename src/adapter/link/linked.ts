import type { WebSocket } from 'ws';

/**
 * Where a WebSocket has its link. So the functions that listen to WebSockets are the same for all
 * of them: a function takes 56 bytes, and a connection would have a dozen.
 */
export const LINK: unique symbol = Symbol('link');

/** A WebSocket that has a link, or is taken for one that it does not have yet. */
export type Linked<Link = unknown> = WebSocket & { [LINK]?: Link | null };
