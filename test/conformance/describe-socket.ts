import { describe } from 'vitest';

import { backPressure } from './bytes/back-pressure.ts';
import { basicIo } from './bytes/basic-io.ts';
import { consuming } from './bytes/consuming.ts';
import { pendingWrites } from './bytes/pending-writes.ts';
import { writeForms } from './bytes/write-forms.ts';
import { abortSignal } from './ends/abort-signal.ts';
import { agreement } from './ends/agreement.ts';
import { closePromise } from './ends/close-promise.ts';
import { concurrentMethods } from './ends/concurrent-methods.ts';
import { cutting } from './ends/cutting.ts';
import { ending } from './ends/ending.ts';
import { halfClose } from './ends/half-close.ts';
import { racing } from './ends/racing.ts';
import { face } from './face/face.ts';
import { idleTimeout } from './face/idle-timeout.ts';
import { opening } from './face/opening.ts';
import { pingPong } from './face/ping-pong.ts';
import type { Features, MakeDialler, MakePair } from './subject.ts';

const cases = [
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
  abortSignal,
];

/**
 * Runs the conformance suite, in the spirit of golang.org/x/net/nettest, on whatever makes a
 * connected pair of sockets. What `features` says the pair cannot do is skipped with the reason, or
 * the documented other behaviour is looked for. Without `makeDialler` the cases that need an end
 * which is still connecting are skipped.
 */
export function describeSocket(
  name: string,
  makePair: MakePair,
  features: Features,
  makeDialler?: MakeDialler,
): void {
  describe(name, () => {
    for (const defineCases of cases) defineCases({ makePair, features, makeDialler });
  });
}
