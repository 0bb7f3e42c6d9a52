import type { IncomingMessage } from 'node:http';

import { expect, test } from 'vitest';

import { type Accepted, connect } from '../../../src/index.ts';
import { next } from '../../support/events.ts';
import {
  dial,
  startBystander,
  startRelay,
  startResumable,
} from '../../support/pairs/resumable-server.ts';
import { ask, begin, claim, messageOf, sayHello } from '../../support/peers/resume-peer.ts';
import { readExactly } from '../../support/reading.ts';

/** Whoever has a token is let in, by its name; who has none, as nobody. */
function authenticate({ headers }: IncomingMessage): boolean | Accepted {
  const [, name] = /^Bearer ?(.*)$/.exec(headers.authorization ?? '') ?? [];
  return name === undefined ? true : { identity: name };
}

const as = (name: string): Record<string, string> => ({ Authorization: `Bearer ${name}` });

test.each([
  ['another', as('ann'), as('bob')],
  ['none', as('ann'), {}],
  ['one where the session has none', {}, as('bob')],
  ['an empty one where the session has none', {}, as('')],
])('a claim with the id and %s gets 403, and disturbs nothing', async (_what, owner, thief) => {
  const server = await startResumable({ authenticate });
  const bystander = await startBystander(server.url);
  const session = await begin(server.port, owner);
  await messageOf(session.peer, 'ack');
  const answered = await claim(server.port, session.id, 0, thief);
  expect(answered).toMatchObject({ status: 403, told: '' });
  expect(server.refused).toMatchObject([{ status: 403, cause: { code: 'ECONNREFUSED' } }]);
  expect(session.peer.socket.destroyed).toBe(false);
  // The same where it is held.
  const lost = next(await server.connection(1), 'disconnect');
  session.peer.socket.destroy();
  await lost;
  expect(await claim(server.port, session.id, 0, thief)).toMatchObject({ status: 403 });
  const { peer, status } = await claim(server.port, session.id, 0, owner);
  expect(status).toBe(101);
  sayHello(peer, session.id);
  await messageOf(peer, 'ack');
  await bystander.expectServed();
});

test('a claim of what was only offered gets 403 too, and leaves it to its client', async () => {
  const server = await startResumable({ authenticate });
  const { peer, id } = await ask(server.port, as('ann'));
  for (const thief of [as('bob'), {}]) {
    expect(await claim(server.port, id, 0, thief)).toMatchObject({ status: 403, told: '' });
  }
  sayHello(peer, id);
  await messageOf(peer, 'ack');
});

test('who comes back with a new token of the same name goes on', async () => {
  const server = await startResumable({ authenticate });
  const relay = await startRelay(server.port);
  let dials = 0;
  const headers = (): Record<string, string> => {
    dials++;
    return as('ann');
  };
  const socket = await dial(relay.url, { headers });
  socket.write('x');
  await readExactly(socket, 1);
  const back = next(socket, 'reconnect');
  relay.cut();
  await back;
  socket.write('x');
  await readExactly(socket, 1);
  expect(dials).toBe(2);
});

test('a client that is not who he was ends with ECONNRESET', async () => {
  const server = await startResumable({ authenticate });
  const relay = await startRelay(server.port);
  const names = ['ann', 'bob'];
  const socket = await dial(relay.url, { headers: () => as(names.shift() ?? 'bob') });
  socket.write('x');
  await readExactly(socket, 1);
  const failed = next(socket, 'error');
  relay.cut();
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'ECONNRESET', cause: { statusCode: 403 } });
});

test.each([{}, { identity: 7 }, { identity: undefined }, { identity: null }, 'ann', null])(
  'an answer of authenticate() that is none gets 500: %j',
  async (answer) => {
    const server = await startResumable({ authenticate: () => answer as never });
    const socket = connect(server.url, { resume: true });
    const [error] = await next(socket, 'error');
    expect(error).toMatchObject({ statusCode: 500 });
    expect(server.refused).toMatchObject([
      { status: 500, cause: { code: 'ERR_INVALID_ARG_TYPE' } },
    ]);
  },
);
