/** All that is fuzzed. */
import type { Target } from './target.ts';
import { clientAdapter } from './targets/client-adapter.ts';
import { controlLines } from './targets/control-lines.ts';
import { control } from './targets/control.ts';
import { decoder } from './targets/decoder.ts';
import { multistreamLines } from './targets/multistream-lines.ts';
import { multistream } from './targets/multistream.ts';
import { serverAdapter } from './targets/server-adapter.ts';
import { session } from './targets/session.ts';

export const targets: readonly Target[] = [
  decoder,
  session,
  controlLines,
  control,
  multistreamLines,
  multistream,
  serverAdapter,
  clientAdapter,
];
