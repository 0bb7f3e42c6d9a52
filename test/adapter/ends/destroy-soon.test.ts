import { once } from 'node:events';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { turns } from '../../support/events.ts';
import { adapterPair } from '../../support/pairs/pairs.ts';
import { readAll } from '../../support/reading.ts';

const FIRST = bytesOf(1, 300_000);
const REST = bytesOf(2, 2_000_000);

test.each([true, false])(
  'what was written before destroySoon() arrives whole when the peer answers a ping meanwhile (half close: %s)',
  async (halfClose) => {
    const pair = await adapterPair({ halfClose });
    onTestFinished(() => pair.stop());
    const { a, b } = pair;
    b.pause();
    a.write(FIRST);
    await once(a, 'drain');
    await turns(20);
    a.ws.ping();
    a.write(REST);
    a.destroySoon();
    await once(a, 'finish');
    // By now nothing but the peer's answer is to come.
    await turns(20);
    expect(sha256(await readAll(b))).toBe(sha256(Buffer.concat([FIRST, REST])));
    expect(b.errored).toBeNull();
  },
);
