import { FEATURES_HEADER } from './features-header.ts';

/** Headers that make a request a handshake, in lower case: they say nothing of who sends it. */
export const HANDSHAKE_HEADERS: readonly string[] = [
  'connection',
  'host',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'upgrade',
  FEATURES_HEADER.toLowerCase(),
];
