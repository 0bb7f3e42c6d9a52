/** Clients that ask for the sessions of others, or for bytes that are not theirs to ask for. */
import { randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { closeOf, next } from '../../support/events.ts';
import { startBystander, startResumable } from '../../support/pairs/resumable-server.ts';
import { collect } from '../../support/peers/raw-peer.ts';
import {
  begin,
  claim,
  messageOf,
  NO_ID,
  sayHello,
  sendData,
} from '../../support/peers/resume-peer.ts';

/** Starts a server, somebody who must notice nothing, and a session whose client is made by hand. */
async function scene() {
  const server = await startResumable();
  const bystander = await startBystander(server.url);
  const session = await begin(server.port);
  sendData(session.peer, 'mine');
  await messageOf(session.peer, 'data');
  return { ...server, ...session, bystander, connected: await server.connection(1) };
}

/** Fails unless the session goes on over the WebSocket that it has. */
async function expectUndisturbed({ peer, bystander }: Awaited<ReturnType<typeof scene>>) {
  sendData(peer, 'more');
  expect((await messageOf(peer, 'data')).bytes.toString()).toBe('more');
  await bystander.expectServed();
}

test('guessed ids get 410, whatever they have in common with one that is there, and name nothing', async () => {
  const at = await scene();
  const near = Buffer.from(at.id);
  near[15] = (near[15] ?? 0) ^ 1;
  for (const guess of [NO_ID, near, ...Array.from({ length: 100 }, () => randomBytes(16))]) {
    const { status, told, peer } = await claim(at.port, guess, 0);
    expect({ status, told }).toEqual({ status: 410, told: 'unknown' });
    expect(await collect(peer.socket)).not.toContain(guess.toString('hex'));
  }
  await expectUndisturbed(at);
});

test.each([
  ['an id that is too short', 'v=1; id=00; received=0'],
  ['an id in capitals', `v=1; id=${'AB'.repeat(16)}; received=0`],
  ['a number below 0', `v=1; id=${'ab'.repeat(16)}; received=-1`],
  ['a number that is none', `v=1; id=${'ab'.repeat(16)}; received=1e3`],
  ['a number beyond all', `v=1; id=${'ab'.repeat(16)}; received=9999999999999999`],
  ['another version', `v=2; id=${'ab'.repeat(16)}; received=0`],
])('a header with %s is not answered, and gets a connection of its own', async (_what, value) => {
  const server = await startResumable();
  const { status, told } = await claim(server.port, NO_ID, 0, { 'WsConn-Resume': value });
  expect({ status, told }).toEqual({ status: 101, told: '' });
});

test('no error or refusal of a session has its id', async () => {
  const at = await scene();
  const hex = at.id.toString('hex');
  const thief = await claim(at.port, at.id, 0);
  sayHello(thief.peer, NO_ID);
  const said = (await messageOf(thief.peer, 'abort')).close.reason;
  sayHello(at.peer, at.id);
  const reason = (await messageOf(at.peer, 'abort')).close.reason;
  await closeOf(at.connected);
  const errors = at.connections.flatMap(({ events }) => events.errors);
  expect(errors).toHaveLength(1);
  const texts = [said, reason, ...errors.map(({ message, stack }) => `${message}${String(stack)}`)];
  for (const text of texts) {
    expect(text).not.toContain(hex);
    expect(text).not.toContain(at.id.toString('base64'));
  }
});

test('a claim of more bytes than were sent gets 410, and disturbs nothing', async () => {
  const at = await scene();
  const { status, told } = await claim(at.port, at.id, 5);
  expect({ status, told }).toEqual({ status: 410, told: 'unsent' });
  await expectUndisturbed(at);
});

test('a claim of bytes that are kept no longer gets 410 while the session is held, which waits on', async () => {
  const at = await scene();
  at.peer.send(2, Buffer.of(1, 4, 4));
  sendData(at.peer, 'more');
  await messageOf(at.peer, 'data');
  const lost = next(at.connected, 'disconnect');
  at.peer.socket.destroy();
  await lost;
  const { status, told } = await claim(at.port, at.id, 3);
  expect({ status, told }).toEqual({ status: 410, told: 'gone' });
  const { peer } = await claim(at.port, at.id, 4);
  sayHello(peer, at.id, { start: 8, received: 4, consumed: 4 });
  expect((await messageOf(peer, 'data')).bytes.toString()).toBe('more');
});

test.each([
  [
    'bytes that are gone',
    { start: 4, received: 0, consumed: 0 },
    'it asks for bytes that are gone',
  ],
  [
    'more than was sent',
    { start: 4, received: 99, consumed: 0 },
    'it has more bytes than were sent',
  ],
  ['a gap', { start: 6, received: 4, consumed: 4 }, 'it leaves out bytes that did not come'],
])('a HELLO of %s is answered by ABORT, and disturbs nothing', async (_what, said, reason) => {
  const at = await scene();
  at.peer.send(2, Buffer.of(1, 4, 4));
  sendData(at.peer, '!');
  await messageOf(at.peer, 'data');
  const { peer, status } = await claim(at.port, at.id, 4);
  expect(status).toBe(101);
  sayHello(peer, at.id, said);
  expect((await messageOf(peer, 'abort')).close).toEqual({ code: 1002, reason });
  await expectUndisturbed(at);
});

test.each([
  ['no HELLO', Buffer.from('\0data'), 'the first message is no HELLO'],
  ['nothing', Buffer.alloc(0), 'an empty message'],
  ['half a HELLO', Buffer.alloc(9, 6), 'a HELLO is cut off'],
])(
  'a claim that begins with %s is answered by ABORT, and disturbs nothing',
  async (_what, first, reason) => {
    const at = await scene();
    const { peer } = await claim(at.port, at.id, 4);
    peer.send(2, first);
    expect((await messageOf(peer, 'abort')).close).toEqual({ code: 1002, reason });
    await expectUndisturbed(at);
  },
);

test('a claim with the HELLO of another session is answered by ABORT, and disturbs neither', async () => {
  const at = await scene();
  const other = await begin(at.port);
  await messageOf(other.peer, 'ack');
  const { peer } = await claim(at.port, at.id, 4);
  sayHello(peer, other.id);
  const { close } = await messageOf(peer, 'abort');
  expect(close).toEqual({ code: 1002, reason: 'a HELLO with another id' });
  sendData(other.peer, 'other');
  expect((await messageOf(other.peer, 'data')).bytes.toString()).toBe('other');
  await expectUndisturbed(at);
});

test('a claim takes over from a WebSocket that is alive only with its HELLO, and then the old one ends', async () => {
  const at = await scene();
  const { peer } = await claim(at.port, at.id, 4);
  await expectUndisturbed(at);
  sayHello(peer, at.id, { start: 8, received: 4, consumed: 4 });
  expect((await messageOf(peer, 'data')).bytes.toString()).toBe('more');
  expect(await at.peer.closeCode()).toBe(1000);
  // What the old one still says counts no more.
  sendData(at.peer, 'late');
  sendData(peer, 'new');
  expect((await messageOf(peer, 'data')).bytes.toString()).toBe('new');
  await at.bystander.expectServed();
});

test('the newest of several claims counts', async () => {
  const at = await scene();
  const claims = [];
  for (let i = 0; i < 5; i++) claims.push((await claim(at.port, at.id, 4)).peer);
  const last = claims.pop();
  for (const peer of claims) expect(['end', 'reset']).toContain(await peer.tcpEnd);
  await expectUndisturbed(at);
  if (last) sayHello(last, at.id, { start: 8, received: 8, consumed: 8 });
  expect(await at.peer.closeCode()).toBe(1000);
});
