import type { BenchCase } from '../parts/case.ts';
import { bulk } from './bulk.ts';
import { connections } from './connections.ts';
import { many } from './many.ts';
import { openClose } from './open-close.ts';
import { resume } from './resume.ts';
import { roundTrip } from './round-trip.ts';
import { smallWrites } from './small-writes.ts';
import { startup } from './startup.ts';
import { workers } from './workers.ts';
import { tunnels } from './tunnels.ts';
import { yamux } from './yamux.ts';

/** All cases, in the order in which they run and are shown. */
export const cases: readonly BenchCase[] = [
  bulk,
  smallWrites,
  roundTrip,
  connections,
  openClose,
  many,
  yamux,
  tunnels,
  resume,
  startup,
  workers,
];
