import { expect, test } from 'vitest';

import { Outgoing } from '../../../src/resume/session/outgoing.ts';
import { decode, type Message } from '../../../src/resume/wire/message.ts';
import { bytesAt } from '../../stress/pattern.ts';
import { runOf } from '../../support/run-of.ts';

const CLOSE = { code: 1000, reason: 'done' };

/** Returns all messages that are due. */
function drain(out: Outgoing): (Message | string)[] {
  const found: (Message | string)[] = [];
  for (let next = out.next(null); next; next = out.next(null)) found.push(decode(next));
  return found;
}

const kindsOf = (out: Outgoing): string[] =>
  drain(out).map((message) => (typeof message === 'string' ? message : message.type));

function makeOutgoing(window = 1_000): Outgoing {
  const out = new Outgoing(200, window);
  out.append(runOf(bytesAt(0, 10)), 10);
  return out;
}

test('bytes come first, then FIN, then END, each once', () => {
  const out = makeOutgoing();
  out.writeFin();
  out.writeEnd(CLOSE);
  expect(out.nextIsData).toBe(true);
  expect(kindsOf(out)).toEqual(['data', 'fin', 'end']);
  expect(out.next(null)).toBeNull();
  expect({ sent: out.sent, written: out.written }).toEqual({ sent: 12, written: 12 });
});

test('END without FIN is the number behind the bytes', () => {
  const out = makeOutgoing();
  out.writeEnd(CLOSE);
  out.writeEnd({ code: 4000, reason: 'the first counts' });
  expect(drain(out)).toEqual([
    { type: 'data', progress: null, bytes: bytesAt(0, 10) },
    { type: 'end', close: CLOSE },
  ]);
  expect(out.onProgress({ received: 11, consumed: 10 })).toBe(true);
  expect(out.endAcked).toBe(true);
});

test.each([
  [10, ['fin', 'end']],
  [11, ['end']],
  [12, []],
])('after %i numbers were received another WebSocket begins with %j', (received, kinds) => {
  const out = makeOutgoing();
  out.writeFin();
  out.writeEnd(CLOSE);
  drain(out);
  expect(out.onProgress({ received, consumed: 0 })).toBe(true);
  out.rewind();
  expect(kindsOf(out)).toEqual(kinds);
  expect({ fin: out.finAcked, end: out.endAcked }).toEqual({
    fin: received > 10,
    end: received > 11,
  });
});

test('an acknowledgement of what was never sent is refused, and changes nothing', () => {
  const out = makeOutgoing();
  expect(out.onProgress({ received: 1, consumed: 0 })).toBe(false);
  drain(out);
  expect(out.onProgress({ received: 11, consumed: 11 })).toBe(false);
  expect({ acked: out.acked, unacked: out.unackedBytes }).toEqual({ acked: 0, unacked: 10 });
});

test('what was sent over a WebSocket before may be acknowledged after it was rewound', () => {
  const out = makeOutgoing();
  drain(out);
  out.rewind();
  expect(out.unsentBytes).toBe(10);
  expect(out.onProgress({ received: 10, consumed: 0 })).toBe(true);
});

test('an acknowledgement that is older than another takes nothing back', () => {
  const out = makeOutgoing();
  drain(out);
  out.onProgress({ received: 8, consumed: 8 });
  out.onProgress({ received: 3, consumed: 2 });
  expect(out.acked).toBe(8);
  expect(out.room).toBe(1_000 - 2);
});

test('what the WebSocket before has brought is sent all the same where this one began before it', () => {
  const out = makeOutgoing(100);
  drain(out);
  out.rewind();
  expect(out.onProgress({ received: 7, consumed: 7 })).toBe(true);
  expect({ unacked: out.unackedBytes, room: out.room }).toEqual({ unacked: 3, room: 90 });
  expect(drain(out)).toEqual([{ type: 'data', progress: null, bytes: bytesAt(0, 10) }]);
  expect(out.room).toBe(97);
});

test('there is room up to what either side keeps', () => {
  const out = makeOutgoing(100);
  out.peerWindow = 50;
  expect(out.room).toBe(40);
  drain(out);
  out.onProgress({ received: 10, consumed: 0 });
  // All was received and nothing read: the peer has room for 50 in all.
  expect(out.room).toBe(40);
  out.onProgress({ received: 10, consumed: 10 });
  expect(out.room).toBe(50);
  out.peerWindow = 1_000;
  expect(out.room).toBe(100);
});

test('an acknowledged FIN makes no room', () => {
  const out = makeOutgoing(100);
  out.writeFin();
  drain(out);
  out.onProgress({ received: 11, consumed: 11 });
  expect(out.room).toBe(100);
});
