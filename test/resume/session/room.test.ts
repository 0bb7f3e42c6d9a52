import { expect, test } from 'vitest';

import { Session } from '../../../src/resume/session/session.ts';
import type { Carrier } from '../../../src/resume/session/session-host.ts';
import { turns } from '../../support/events.ts';

const MIB = 1_048_576;
const nothing = (): undefined => undefined;

/** A session over a WebSocket that does with a message what the test says. */
function sessionOver(carrier: Carrier): Session {
  const settings = { maxMessageSize: 65_536, highWaterMark: 65_536, window: 8 * MIB };
  const session = new Session(settings, () => 0, {
    onData: nothing,
    onFin: nothing,
    onEnd: nothing,
    onAbort: nothing,
    onViolation: nothing,
    onRoom: nothing,
    onProgress: nothing,
    onSent: nothing,
  });
  session.attach(carrier, { received: 0, consumed: 0 });
  return session;
}

/** Has the session take so many bytes. */
function give(session: Session, length: number): void {
  session.out.append({ next: (most) => Buffer.alloc(most) }, length);
  session.pump();
}

test('while the session lets the event loop turn, no more is taken than the high-water mark', async () => {
  let taken: (() => void)[] = [];
  const session = sessionOver({
    queued: 0,
    send: (_message, whenTaken) => {
      if (whenTaken) taken.push(whenTaken);
    },
  });
  give(session, 2 * MIB);
  const all = taken;
  taken = [];
  // The kernel is fast.
  for (const whenTaken of all) whenTaken();
  expect(session.out.unsentBytes).toBeGreaterThan(65_536);
  expect(session.room).toBe(0);
  await turns(2);
  expect(session.out.unsentBytes).toBe(0);
  expect(session.room).toBeGreaterThan(0);
});

test('acknowledgements that wait in the send queue do not make room in it', () => {
  const taken: (() => void)[] = [];
  let queued = 0;
  const session = sessionOver({
    get queued() {
      return queued;
    },
    send: (message, whenTaken) => {
      queued += message.length;
      if (whenTaken) taken.push(whenTaken);
    },
  });
  session.confirm();
  give(session, 65_536);
  // The kernel has taken the first, which is no data.
  taken.shift()?.();
  expect(session.room).toBe(0);
});

test('an end that met a full send queue is sent when the queue has room', () => {
  const taken: (() => void)[] = [];
  const sent: Buffer[] = [];
  let queued = 0;
  const session = sessionOver({
    get queued() {
      return queued;
    },
    send: (message, whenTaken) => {
      sent.push(message);
      queued += message.length;
      if (whenTaken) taken.push(whenTaken);
    },
  });
  give(session, 65_536);
  session.out.writeFin();
  session.pump();
  expect(sent).toHaveLength(1);
  queued = 0;
  taken.shift()?.();
  expect(sent.map(([type]) => type)).toEqual([0, 3]);
});
