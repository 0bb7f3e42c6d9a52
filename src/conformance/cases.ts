import { backPressure } from './bytes/back-pressure.ts';
import { basicIo } from './bytes/basic-io.ts';
import { consuming } from './bytes/consuming.ts';
import { pendingWrites } from './bytes/pending-writes.ts';
import { writeForms } from './bytes/write-forms.ts';
import { abortSignal } from './ends/abort-signal.ts';
import { agreement } from './ends/agreement.ts';
import { asyncDispose, closePromise } from './ends/close-promise.ts';
import { concurrentMethods } from './ends/concurrent-methods.ts';
import { cutting } from './ends/cutting.ts';
import { ending } from './ends/ending.ts';
import { halfClose } from './ends/half-close.ts';
import { racing } from './ends/racing.ts';
import { face } from './face/face.ts';
import { idleTimeout } from './face/idle-timeout.ts';
import { opening } from './face/opening.ts';
import { pingPong } from './face/ping-pong.ts';
import type { Case } from './frame/group.ts';

/** All cases, in the order in which they are run and reported. */
export const allCases: readonly Case[] = [
  basicIo,
  writeForms,
  pingPong,
  racing,
  backPressure,
  idleTimeout,
  ending,
  halfClose,
  cutting,
  agreement,
  pendingWrites,
  concurrentMethods,
  face,
  consuming,
  opening,
  closePromise,
  asyncDispose,
  abortSignal,
].flat();
