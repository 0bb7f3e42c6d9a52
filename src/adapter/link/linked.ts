import type { WebSocket } from 'ws';

/**
 * Where a WebSocket has its link. So the functions that listen to WebSockets are the same for all
 * of them: a function for each would be a quarter of what a connection takes.
 */
export const LINK: unique symbol = Symbol('link');

/** A WebSocket that has a link, or is taken for one that it does not have yet. */
export type Linked<Link = unknown> = WebSocket & { [LINK]?: Link | null };
