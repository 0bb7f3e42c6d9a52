/** All that is fuzzed. */
import { clientAdapter } from './client-adapter.ts';
import { control } from './control.ts';
import { controlLines } from './control-lines.ts';
import { decoder } from './decoder.ts';
import { serverAdapter } from './server-adapter.ts';
import { session } from './session.ts';
import type { Target } from './target.ts';

export const targets: readonly Target[] = [
  decoder,
  session,
  controlLines,
  control,
  serverAdapter,
  clientAdapter,
];
