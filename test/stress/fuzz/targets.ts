/** All that is fuzzed. */
import { clientAdapter } from './targets/client-adapter.ts';
import { control } from './targets/control.ts';
import { controlLines } from './targets/control-lines.ts';
import { decoder } from './targets/decoder.ts';
import { serverAdapter } from './targets/server-adapter.ts';
import { session } from './targets/session.ts';
import type { Target } from './target.ts';

export const targets: readonly Target[] = [
  decoder,
  session,
  controlLines,
  control,
  serverAdapter,
  clientAdapter,
];
