/** The examples in docs/resume.md are what the code writes, and what it reads. */
import { expect, test } from 'vitest';

import {
  decode,
  encodeAck,
  encodeClose,
  encodeFin,
  encodeHello,
  MAX_DATA_HEADER,
  type Message,
  type Progress,
  writeDataHeader,
} from '../../src/resume/wire/message.ts';
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
} from '../../src/resume/wire/resume-header.ts';
import { pages, rowsOf } from './markdown.ts';

const page = pages().find(({ file }) => file === 'docs/resume.md');

/** Returns a column of the table with that first heading, by the names in the first column. */
function examples(heading: string, column: number): Record<string, string> {
  const rows = page ? rowsOf(page, heading) : [];
  return Object.fromEntries(
    rows.map((cells) => [cells[0] ?? '', (cells[column] ?? '').replaceAll('`', '')]),
  );
}

const id = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const progress = { received: 300, consumed: 5 };
const hello = { id, start: 70_000, ...progress };
const end = { code: 4001, reason: 'bye' };
const abort = { code: 1006, reason: '' };
const data = Buffer.from('hi');

function encodeData(acknowledged: Progress | null): Buffer {
  const message = Buffer.concat([Buffer.alloc(MAX_DATA_HEADER), data]);
  return message.subarray(writeDataHeader(message, MAX_DATA_HEADER, acknowledged));
}

const MESSAGES: Record<string, readonly [Buffer, Message]> = {
  DATA: [encodeData(null), { type: 'data', progress: null, bytes: data }],
  ACK: [encodeAck(progress), { type: 'ack', progress }],
  'ACK+DATA': [encodeData(progress), { type: 'data', progress, bytes: data }],
  FIN: [encodeFin(), { type: 'fin' }],
  END: [encodeClose('end', end), { type: 'end', close: end }],
  ABORT: [encodeClose('abort', abort), { type: 'abort', close: abort }],
  HELLO: [encodeHello(hello), { type: 'hello', hello }],
};

test('docs/resume.md: the bytes of each message', () => {
  const written = Object.entries(MESSAGES).map(([name, [bytes]]) => [
    name,
    bytes.toString('hex').replaceAll(/..(?=.)/g, '$& '),
  ]);
  expect(examples('message', 2)).toEqual(Object.fromEntries(written));
});

test.each(Object.entries(MESSAGES))(
  'docs/resume.md: %s is read as it says',
  (name, [, message]) => {
    const hex = examples('message', 2)[name] ?? '';
    expect(decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual(message);
  },
);

test('docs/resume.md: the headers', () => {
  const window = 8_388_608;
  const grant = { id, window, hold: 120_000 };
  const accept = { received: 70_000, consumed: 69_995 };
  const shown = examples('header', 2);
  expect(shown).toEqual({
    new: formatNewRequest({ window }),
    grant: formatGrant(grant),
    resume: formatResumeRequest({ id, received: 300 }),
    accept: formatAccept(accept),
  });
  expect(readRequest(shown['new'])).toEqual({ window });
  expect(readRequest(shown['resume'])).toEqual({ id, received: 300 });
  expect(readGrant(shown['grant'])).toEqual(grant);
  expect(readAccept(shown['accept'])).toEqual(accept);
});

test('docs/resume.md: the refusals', () => {
  const refusals: Record<string, RefusalReason> = {
    unknown: { reason: 'unknown' },
    unbegun: { reason: 'unbegun' },
    gone: { reason: 'gone' },
    unsent: { reason: 'unsent' },
    finished: { reason: 'finished', received: 301 },
    aborted: { reason: 'aborted', close: { code: 4001, reason: 'not now' } },
  };
  const { foreign, ...shown } = examples('refusal', 3);
  expect(foreign).toBe('');
  expect(shown).toEqual(
    Object.fromEntries(Object.entries(refusals).map(([name, one]) => [name, formatRefusal(one)])),
  );
  for (const [name, one] of Object.entries(refusals)) {
    expect(readRefusalReason(shown[name])).toEqual(one);
  }
});
