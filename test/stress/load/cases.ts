/** All cases of load, in the order in which they run. */
import type { Case } from './case.ts';
import { connections } from './connections.ts';
import { handshakes } from './handshakes.ts';
import { slowReader } from './slow-reader.ts';
import { tinyMessages } from './tiny-messages.ts';
import { yamuxStreams } from './yamux-streams.ts';

export const cases: readonly Case[] = [
  connections,
  handshakes,
  yamuxStreams,
  slowReader,
  tinyMessages,
];
