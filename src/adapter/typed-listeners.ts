import type { Readable } from 'node:stream';

import type { WsConnError } from '../base/errors.ts';

/**
 * Adds a listener, whose arguments follow from the event. Overloads rather than a map of events: of
 * a generic function TypeScript finds none in `WsConnAdapter | ResumableSocket`.
 */
export interface AddListener<Self> {
  (event: 'close', listener: (hadError: boolean) => void): Self;
  (event: 'data', listener: (chunk: Buffer) => void): Self;
  (event: 'error', listener: (error: Error) => void): Self;
  (event: 'pipe' | 'unpipe', listener: (source: Readable) => void): Self;
  (event: 'pong', listener: (rtt: number) => void): Self;
  (event: 'disconnect', listener: (error: WsConnError) => void): Self;
  (event: 'reconnect', listener: (count: number, ms: number) => void): Self;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in EventEmitter: an event of any other name
  (event: string | symbol, listener: (...args: any[]) => void): Self;
}
