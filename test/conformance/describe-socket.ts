import { describe } from 'vitest';

import { abortSignal } from './abort-signal.ts';
import { agreement } from './agreement.ts';
import { backPressure } from './back-pressure.ts';
import { basicIo } from './basic-io.ts';
import { closePromise } from './close-promise.ts';
import { concurrentMethods } from './concurrent-methods.ts';
import { consuming } from './consuming.ts';
import { cutting } from './cutting.ts';
import { ending } from './ending.ts';
import { face } from './face.ts';
import { halfClose } from './half-close.ts';
import { idleTimeout } from './idle-timeout.ts';
import { opening } from './opening.ts';
import { pendingWrites } from './pending-writes.ts';
import { pingPong } from './ping-pong.ts';
import { racing } from './racing.ts';
import { writeForms } from './write-forms.ts';
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
