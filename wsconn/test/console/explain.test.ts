import { describe, expect, test } from 'vitest';

import { WsConnError } from '../../../src/index.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';
import { explain } from '../../src/console/explain.ts';
import { unreachable } from '../../src/target/dial-target.ts';

function refused(code: string, address: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code, address, port: 7 });
}

/** What Node makes of a name with two addresses, neither of which can be reached. */
function both(first: string, second: string): Error {
  const errors = [refused(first, '::1'), refused(second, '127.0.0.1')];
  return Object.assign(new AggregateError(errors), { code: first });
}

describe('an error without a message', () => {
  test('names all that was tried, and why each failed', () => {
    expect(explain(both('ECONNREFUSED', 'ECONNREFUSED'))).toBe(
      'connection refused: check host and port, and whether the server runs ' +
        '(tried [::1]:7: ECONNREFUSED, 127.0.0.1:7: ECONNREFUSED)',
    );
  });

  test('is explained by the attempt that got furthest', () => {
    expect(explain(both('ENETUNREACH', 'ECONNREFUSED'))).toMatch(/^connection refused/);
    expect(explain(both('EUNKNOWN', 'EUNKNOWN'))).toBe(
      'tried [::1]:7: EUNKNOWN, 127.0.0.1:7: EUNKNOWN',
    );
  });

  test('of a target names what was tried to the server, and to the client the code alone', () => {
    const error = unreachable({ host: 'both.test', port: 7 }, both('ECONNREFUSED', 'ECONNREFUSED'));
    expect(error.message).toMatch(/both\.test:7 \(tried \[::1\]:7: ECONNREFUSED, 127/);
    expect(error.reason).toMatch(/cannot be reached \(ECONNREFUSED\)/);
  });

  test.each([
    [new Error(''), 'Error'],
    [new TypeError('', { cause: new Error('why') }), 'why'],
    [Object.assign(new Error(''), { code: 'EODD' }), 'EODD'],
    [new AggregateError([]), 'AggregateError'],
    [new AggregateError([new Error('')]), 'tried Error'],
  ])('still gives a line: %#', (error, line) => {
    expect(explain(error)).toBe(line);
  });
});

test('Close 1001 is explained as somebody who went away', () => {
  const close = (closeReason: string): WsConnError =>
    new WsConnError('ECONNRESET', 'x', { closeCode: 1001, closeReason });
  expect(explain(close(''))).toMatch(/^the server or a proxy in front of it went away \(1001\): /);
  expect(explain(close('reload'), 'client')).toMatch(
    /^the client or a proxy .* \(1001\): "reload": /,
  );
});

test('a cut without a Close names what helps against idle limits, to a client', () => {
  const cut = new WsConnError('ECONNRESET', 'x', { closeCode: 1006 });
  const hint = /; if it was idle, use a shorter --keepalive: wsconn doctor finds out which$/;
  expect(explain(cut)).toMatch(hint);
  expect(explain(new WsConnError('ECONNRESET', 'x'))).toMatch(hint);
  expect(explain(cut, 'client')).not.toMatch(hint);
  expect(explain(new WsConnError('ECONNRESET', 'x', { closeCode: 1011 }))).not.toMatch(hint);
});

describe('a name with an IPv6 and an IPv4 address, on neither of which anybody listens', () => {
  // Which names a machine has for both is its own affair.
  const module = `
    import dns from 'node:dns';
    const { lookup } = dns;
    dns.lookup = (name, options, done) => {
      if (name !== 'both.test') lookup(name, options, done);
      else done(null, [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]);
    };`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
  const tried = /tried \[::1\]:\d+: E[A-Z]+, 127\.0\.0\.1:\d+: ECONNREFUSED/;

  test('is told by connect with both', async () => {
    const ended = await runWsconn(['connect', `ws://both.test:${String(await freePort())}`], {
      env,
    });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(tried) as string });
    expect(ended.stderr).toMatch(/^wsconn connect: both\.test:\d+: connection refused: /);
  });

  test('is told by serve with both, and to the client without', async () => {
    const { program, url } = await serve(`both.test:${String(await freePort())}`, [], { env });
    const ended = await runWsconn(['connect', url]);
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(/target of this server cannot be reached \(ECONNREFUSED\)/);
    await program.prints(tried);
  });
});
