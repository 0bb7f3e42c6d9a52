import { describe, expect, test } from 'vitest';

import { next, record, turns } from '../../support/events.ts';
import { connected, type Subject } from '../subject.ts';
import { expectOneClose } from './cutting.ts';

/** The option `signal`. */
export function abortSignal(subject: Subject): void {
  const { features, makeDialler } = subject;

  describe.skipIf(!features.signal)('AbortSignal', () => {
    test('destroys a connected end with an AbortError', async () => {
      const controller = new AbortController();
      const { a, b } = await connected(subject, { signal: controller.signal });
      const [atA, atB] = [record(a), record(b)];
      b.resume();
      controller.abort(new Error('not any more'));
      expect(a.destroyed).toBe(true);
      await Promise.all([atA.closed, atB.closed]);
      expect(atA.errors).toMatchObject([{ name: 'AbortError', code: 'ABORT_ERR' }]);
      expectOneClose(atA);
      expectOneClose(atB);
    });

    test('has no say after the end', async () => {
      const controller = new AbortController();
      const { a, b } = await connected(subject, { signal: controller.signal });
      const recording = record(a);
      a.resume();
      b.resume();
      a.end();
      await next(a, 'close');
      controller.abort();
      await turns(5);
      expect(recording.errors).toEqual([]);
      expectOneClose(recording);
    });

    test('that has fired already, or fires while connecting, gives up the connection', async ({
      skip,
    }) => {
      if (!makeDialler) {
        skip('the ends of this pair are connected when they are made');
        return;
      }
      const dialler = await makeDialler();
      try {
        const controller = new AbortController();
        const late = record(dialler.open({ signal: controller.signal }));
        controller.abort();
        const early = record(dialler.open({ signal: controller.signal }));
        await Promise.all([late.closed, early.closed]);
        for (const recording of [late, early]) {
          expect(recording.names).toEqual(['error', 'close']);
          expect(recording.errors).toMatchObject([{ name: 'AbortError' }]);
        }
      } finally {
        await dialler.stop();
      }
    });
  });
}
