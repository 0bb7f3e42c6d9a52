import type { IncomingMessage } from 'node:http';

import { expect, test } from 'vitest';

import { Admission } from '../../../src/admit/admission.ts';
import { makeTargetDialer } from '../../../src/serve/server/target-dialer.ts';
import { AllowConnect } from '../../../src/target/allow-connect.ts';
import { ConnectPattern } from '../../../src/target/connect-pattern.ts';
import { type Target, Targets } from '../../../src/target/targets.ts';
import { GiveUp } from '../../../src/tunnel/give-up.ts';
import { echo, target } from '../../../../test/support/peers/target.ts';

const DB: Target = { name: 'db', place: { host: '127.0.0.1', port: 1 } };

/** Returns what dials for a client whose token opens the targets, or all. */
function dialerOf(patterns: readonly string[], targets?: ReadonlySet<string>) {
  const admission = new Admission({
    targets: new Targets([DB]),
    path: undefined,
    checkToken: undefined,
  });
  const allowed = new AllowConnect(patterns.map((text) => ConnectPattern.parse(text, 'x')));
  const client = { request: {} as IncomingMessage, target: undefined, targets, who: undefined };
  const chosen: (readonly [string, string | undefined])[] = [];
  const { dialWish } = makeTargetDialer(admission, { allowConnect: allowed, proxyProtocol: false })(
    client,
    (name, address) => {
      chosen.push([name, address]);
    },
  );
  return { chosen, dial: (host: string, port: number) => dialOnce(dialWish, host, port) };
}

async function dialOnce(
  dialWish: ReturnType<ReturnType<typeof makeTargetDialer>>['dialWish'],
  host: string,
  port: number,
): Promise<string> {
  return dialWish({ address: { host, port } }, new GiveUp()).then(
    (socket) => {
      const { remoteAddress = '' } = socket;
      socket.destroy();
      return remoteAddress;
    },
    (error: unknown) => {
      const { errno, reason } = error as { errno: string; reason: string };
      return `${errno}: ${reason}`;
    },
  );
}

test('an address that is listed is dialled, by name too, and its connection knows which', async () => {
  const port = await target(echo);
  const { chosen, dial } = dialerOf([`localhost:${String(port)}`, `127.0.0.1:${String(port)}`]);
  expect(await dial('127.0.0.1', port)).toBe('127.0.0.1');
  expect(await dial('LOCALHOST', port)).toBe('127.0.0.1');
  expect(chosen).toEqual([
    ['*', `127.0.0.1:${String(port)}`],
    ['*', `LOCALHOST:${String(port)}`],
  ]);
});

test('a token that opens some targets opens no address', async () => {
  const port = await target(echo);
  const { dial } = dialerOf([`127.0.0.1:${String(port)}`], new Set(['db']));
  expect(await dial('127.0.0.1', port)).toBe(
    'EACCES: the token opens targets by name, and no other address',
  );
});

test('a server without --allow-connect dials no address, not that of a target either', async () => {
  const { dial } = dialerOf([]);
  expect(await dial('127.0.0.1', 1)).toMatch(/^EACCES: this server connects to no address/);
});

test('a client is told that an address cannot be reached, and how', async () => {
  const { dial } = dialerOf(['127.0.0.1:1', 'nosuch.invalid:1']);
  expect(await dial('127.0.0.1', 1)).toBe(
    'ECONNREFUSED: the server cannot reach 127.0.0.1:1 (ECONNREFUSED)',
  );
  expect(await dial('nosuch.invalid', 1)).toMatch(/^(ENOTFOUND|EAI_AGAIN): /);
});
