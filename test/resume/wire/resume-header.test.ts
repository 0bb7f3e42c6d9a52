import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ID_BYTES } from '../../../src/resume/wire/message.ts';
import {
  formatAccept,
  formatGrant,
  formatNewRequest,
  formatRefusal,
  formatResumeRequest,
  readAccept,
  readGrant,
  readRefusalReason,
  readRequest,
  type RefusalReason,
} from '../../../src/resume/wire/resume-header.ts';

const ID = Buffer.from(Array.from({ length: ID_BYTES }, (_, i) => 17 * i));
const HEX = ID.toString('hex');
const LARGEST = Number.MAX_SAFE_INTEGER;

test('requests and answers come back, with numbers up to 2^53 - 1', () => {
  for (const value of [0, 1, 65_536, 2 ** 32, LARGEST]) {
    expect(readRequest(formatNewRequest({ window: value }))).toEqual({ window: value });
    const request = { id: ID, received: value };
    expect(readRequest(formatResumeRequest(request))).toEqual(request);
    const grant = { id: ID, window: value, hold: value };
    expect(readGrant(formatGrant(grant))).toEqual(grant);
    const accept = { received: LARGEST, consumed: value };
    expect(readAccept(formatAccept(accept))).toEqual(accept);
  }
});

test('refusals come back, whatever the reason has in it', () => {
  const plain: fc.Arbitrary<RefusalReason> = fc.constantFrom(
    { reason: 'unknown' },
    { reason: 'unbegun' },
    { reason: 'gone' },
    { reason: 'unsent' },
    { reason: 'finished', received: LARGEST },
  );
  const aborted: fc.Arbitrary<RefusalReason> = fc
    .record({ code: fc.integer({ min: 1000, max: 4999 }), reason: fc.string({ unit: 'grapheme' }) })
    .map((close) => ({ reason: 'aborted', close }));
  const property = fc.property(fc.oneof(plain, aborted), (refusal) => {
    const header = formatRefusal(refusal);
    // What a header may have.
    expect(header).toMatch(/^[\x20-\x7e]*$/);
    expect(readRefusalReason(header)).toEqual(refusal);
  });
  fc.assert(property, { seed: 1 });
});

test('spaces, their absence, and fields that are not known make no difference', () => {
  expect(readRequest(`v=1;id=${HEX};received=5`)).toEqual({ id: ID, received: 5 });
  expect(readRequest(` V=1 ;  later=x; received=5; id=${HEX} ;`)).toEqual({ id: ID, received: 5 });
});

describe('is not read', () => {
  test.each<[string, string | string[] | undefined]>([
    ['nothing', undefined],
    ['an empty header', ''],
    ['the header twice', [`v=1; id=${HEX}; received=5`, 'v=1; new; window=1']],
    ['another version', `v=2; id=${HEX}; received=5`],
    ['no version', `id=${HEX}; received=5`],
    ['no id', 'v=1; received=5'],
    ['an id too short', `v=1; id=${HEX.slice(2)}; received=5`],
    ['an id too long', `v=1; id=${HEX}00; received=5`],
    ['an id that is no hex', `v=1; id=${HEX.slice(1)}g; received=5`],
    ['an id in capitals', `v=1; id=${'AB'.repeat(ID_BYTES)}; received=5`],
    ['no number', `v=1; id=${HEX}`],
    ['an empty number', `v=1; id=${HEX}; received=`],
    ['a negative number', `v=1; id=${HEX}; received=-1`],
    ['a number with a fraction', `v=1; id=${HEX}; received=1.5`],
    ['an exponent', `v=1; id=${HEX}; received=1e3`],
    ['hex digits', `v=1; id=${HEX}; received=0x10`],
    ['a number of 2^53', `v=1; id=${HEX}; received=9007199254740992`],
    ['a number without end', `v=1; id=${HEX}; received=${'9'.repeat(400)}`],
    ['a new one without a window', 'v=1; new'],
  ])('%s', (_, value) => {
    expect(readRequest(value)).toBeNull();
  });

  test('an answer with more read than came', () => {
    expect(readAccept('v=1; received=4; consumed=5')).toBeNull();
  });

  test('a grant without all of its fields', () => {
    expect(readGrant(`v=1; id=${HEX}; window=5`)).toBeNull();
    expect(readGrant('v=1; window=5; hold=5')).toBeNull();
  });

  test('a refusal that is none of the protocol', () => {
    for (const value of ['', 'no', 'finished', 'finished; received=x', 'aborted; code=x']) {
      expect(readRefusalReason(value)).toBeNull();
    }
    expect(readRefusalReason(['gone', 'gone'])).toBeNull();
  });
});

test('a text that is no percent-encoding is shown as it came', () => {
  expect(readRefusalReason('aborted; code=1011; text=50%')).toEqual({
    reason: 'aborted',
    close: { code: 1011, reason: '50%' },
  });
});

test('whatever comes is read or not, and never throws', () => {
  const part = fc.oneof(
    fc.constantFrom('v=1', ';', '=', ' ', 'id=', HEX, 'new', 'received=', 'aborted', 'text=', '%'),
    fc.string({ maxLength: 6 }),
  );
  const value = fc.array(part, { maxLength: 14 }).map((parts) => parts.join(''));
  const property = fc.property(value, (text) => {
    for (const read of [readRequest, readGrant, readAccept, readRefusalReason]) read(text);
  });
  fc.assert(property, { seed: 2, numRuns: 3_000 });
});
