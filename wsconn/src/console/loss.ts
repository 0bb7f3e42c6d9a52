import type { WsConnError } from 'ws-conn-adapter';

import { ABNORMAL_CLOSURE } from './codes.ts';
import { codeOf } from './explain.ts';

/** Says in a few words why a connection has lost its path, which goes on over another. */
export function lossOf({ code, closeCode = ABNORMAL_CLOSURE, cause }: WsConnError): string {
  if (code === 'ETIMEDOUT') return 'no answer to pings';
  if (closeCode !== ABNORMAL_CLOSURE) return `closed with code ${String(closeCode)}`;
  return codeOf(cause) ?? 'ended without Close';
}
