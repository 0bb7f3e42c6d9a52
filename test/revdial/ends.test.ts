import net from 'node:net';
import type { Duplex } from 'node:stream';

import { describe, expect, onTestFinished, test } from 'vitest';

import { connect, createServer } from '../../src/index.ts';
import { RevdialListener, RevdialServer } from '../../src/revdial/index.ts';
import { closeOf, next, turns } from '../support/events.ts';
import { tcpPair } from '../support/pairs/pairs.ts';
import { connectDevice, echo, hubOfTest } from '../support/pairs/revdial-hub.ts';
import { rawControl } from '../support/peers/raw-control.ts';

interface End {
  readonly closed: boolean;
  close(): Promise<Error | null>;
  on(event: 'close', listener: (error: Error | null) => void): unknown;
  [Symbol.asyncDispose](): Promise<void>;
}

const neverDial = () => Promise.reject(new Error('nothing is to be dialled here'));

const ends: readonly (readonly [string, (control: Duplex) => End])[] = [
  ['the server', (control) => new RevdialServer({ path: '/r' }).createDialer(control)],
  ['the device', (control) => new RevdialListener(control, neverDial)],
];

function closesOf(end: End): (Error | null)[] {
  const closes: (Error | null)[] = [];
  end.on('close', (error) => closes.push(error));
  return closes;
}

describe.for(ends)('%s', ([, makeEnd]) => {
  test('closes once, however often it is told to', async () => {
    const { control } = rawControl();
    const end = makeEnd(control);
    const closes = closesOf(end);
    const first = end.close();
    expect(end.close()).toBe(first);
    expect(await first).toBeNull();
    expect(end.closed).toBe(true);
    expect(end.close()).toBe(first);
    await end[Symbol.asyncDispose]();
    expect(closes).toEqual([null]);
    expect(control.destroyed).toBe(true);
  });

  test("is closed once 'close' is emitted and not before, as in node:net", async () => {
    const { control } = rawControl();
    const end = makeEnd(control);
    const seen: unknown[] = [end.closed];
    control.prependListener('close', () => seen.push(end.closed));
    end.on('close', () => seen.push('close', end.closed));
    const closed = end.close();
    seen.push(end.closed);
    await closed;
    expect(seen).toEqual([false, false, false, 'close', true]);
    expect(end.closed).toBe(true);
  });

  test('leaves no listener on its control connection', async () => {
    const { control } = rawControl();
    const before = control.eventNames().map((name) => [name, control.listenerCount(name)]);
    await makeEnd(control).close();
    await turns(2);
    expect(control.eventNames().map((name) => [name, control.listenerCount(name)])).toEqual(before);
  });

  test('ends in order when its peer does', async () => {
    const { control, peer } = rawControl();
    const end = makeEnd(control);
    const closes = closesOf(end);
    peer.end();
    await next(control, 'close');
    expect(await end.close()).toBeNull();
    expect(closes).toEqual([null]);
  });

  test('gives the error of its control connection, also to who asks later', async () => {
    const { control } = rawControl();
    const end = makeEnd(control);
    const closes = closesOf(end);
    const cut = new Error('cut');
    const closed = next(control, 'close');
    control.destroy(cut);
    await closed;
    expect(closes).toEqual([cut]);
    expect(await end.close()).toBe(cut);
  });

  test('sees it as an end when its control connection is destroyed without an error', async () => {
    const { control } = rawControl();
    const end = makeEnd(control);
    control.destroy();
    expect(await end.close()).toBeNull();
  });

  test.for([
    ['a line that is not JSON', 'GET / HTTP/1.1\r\n'],
    ['5000 bytes without newline', 'x'.repeat(5_000)],
    ['a command of the wrong type', '{"command":1}\n'],
    ['a path of the wrong type', '{"command":"conn-ready","connPath":["/"]}\n'],
    ['an error of the wrong type', '{"command":"pickup-failed","err":{}}\n'],
    ['an empty line', '\n'],
  ] as const)('ends with EPROTO over %s', async ([, line]) => {
    const peer = rawControl();
    const end = makeEnd(peer.control);
    const closed = next(peer.control, 'close');
    peer.send(line);
    await closed;
    expect(await end.close()).toMatchObject({ code: 'EPROTO' });
  });

  test('ignores commands that it does not know, and those of the other end', async () => {
    const peer = rawControl();
    const end = makeEnd(peer.control);
    peer.send('{"command":"dance","connPath":"/x"}\n{}\n');
    if (end instanceof RevdialListener) peer.send('{"command":"pickup-failed"}\n');
    else peer.send('{"command":"conn-ready","connPath":"/x"}\n');
    await turns(5);
    expect(end.closed).toBe(false);
    expect(peer.commands).toEqual(['keep-alive']);
    await end.close();
  });

  test('refuses a control connection that has ended, or that is none', async () => {
    const { control } = rawControl();
    control.destroy();
    await closeOf(control);
    expect(() => makeEnd(control)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(() => makeEnd({} as Duplex)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => makeEnd(null as unknown as Duplex)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test('takes a TCP connection for control, and ends it in order', async () => {
    const pair = await tcpPair();
    onTestFinished(() => pair.stop());
    const end = makeEnd(pair.a);
    expect(String(await next(pair.b, 'data'))).toBe('{"command":"keep-alive"}\n');
    const ended = next(pair.b, 'end');
    expect(await end.close()).toBeNull();
    await ended;
  });

  test('closes at once while its control connection is being made', async () => {
    const server = net
      .createServer((socket) => socket.on('error', () => undefined).resume())
      .listen(0, '127.0.0.1');
    await next(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    for (const control of [
      net.connect(port, '127.0.0.1'),
      connect(`ws://127.0.0.1:${String(port)}`),
    ]) {
      expect(await makeEnd(control).close()).toBeNull();
    }
    server.close();
    await next(server, 'close');
  });

  test('fails as its control connection does that cannot be made', async () => {
    const server = createServer({ authenticate: () => false }).listen(0, '127.0.0.1');
    await next(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const control = connect(`ws://127.0.0.1:${String(port)}`);
    const end = makeEnd(control);
    await closeOf(control);
    expect(await end.close()).toMatchObject({ code: 'ECONNREFUSED', statusCode: 401 });
    await server.close();
  });
});

describe('both ends', () => {
  test('may close at the same time', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    expect(await Promise.all([dialer.close(), listener.close()])).toEqual([null, null]);
  });

  test('leave the connections that were made open when they close', async () => {
    const hub = await hubOfTest();
    const { dialer, listener } = await connectDevice(hub);
    echo(listener);
    const connected = next(listener, 'connection');
    const user = await dialer.dial();
    await connected;
    await Promise.all([dialer.close(), listener.close()]);
    user.write('still here');
    expect(String(await next(user, 'data'))).toBe('still here');
    expect(await user.close()).toBeNull();
  });
});

describe('RevdialServer', () => {
  test('closes all its dialers, once, and takes no more', async () => {
    const revdial = new RevdialServer({ path: '/r' });
    const dialers = [rawControl(), rawControl()].map(({ control }) =>
      revdial.createDialer(control),
    );
    expect([...revdial.dialers]).toEqual(dialers);
    const closed = revdial.close();
    expect(revdial.close()).toBe(closed);
    await closed;
    expect(dialers.map((dialer) => dialer.closed)).toEqual([true, true]);
    expect(revdial.dialers.size).toBe(0);
    const { control } = rawControl();
    expect(() => revdial.createDialer(control)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STATE' }),
    );
    control.destroy();
  });

  test.for(['', 'ssh', '//host/x', 'http://host/', '/a#b', '/ä', `/${'x'.repeat(1_024)}`])(
    'refuses the path %j',
    (path) => {
      expect(() => new RevdialServer({ path })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      );
    },
  );

  test('refuses what is no path, no id or no option', () => {
    const wrongType = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error;
    const path = '/r';
    expect(() => new RevdialServer({ path: 1 as unknown as string })).toThrow(wrongType);
    expect(() => new RevdialServer({ path, halfClose: 'no' as unknown as boolean })).toThrow(
      wrongType,
    );
    const { control } = rawControl();
    const revdial = new RevdialServer({ path });
    expect(() => revdial.createDialer(control, { id: 7 as unknown as string })).toThrow(wrongType);
    for (const id of ['', 'a b', 'a&uuid=b', 'ä', 'x'.repeat(129)]) {
      expect(() => revdial.createDialer(control, { id })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      );
    }
    control.destroy();
  });

  test('gives each dialer an id of 128 random bits', async () => {
    const revdial = new RevdialServer({ path: '/r' });
    const ids = [rawControl(), rawControl()].map(({ control }) => revdial.createDialer(control).id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    await revdial.close();
  });

  test('rejects a dial with a wrong option', async () => {
    const revdial = new RevdialServer({ path: '/r' });
    const dialer = revdial.createDialer(rawControl().control);
    await expect(dialer.dial({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    await expect(dialer.dial({ signal: {} as AbortSignal })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
    await revdial.close();
  });
});
