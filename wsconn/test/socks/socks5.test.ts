import net from 'node:net';
import { once } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';

import { acceptSocks, readSocksRequest, refuseSocks } from '../../src/socks/socks5.ts';
import { target } from '../../../test/support/peers/target.ts';
import { readAll, readExactly } from '../../../test/support/reading.ts';

/** Connects a client; returns it and the socket of the server. */
async function pair(): Promise<{ client: net.Socket; socket: net.Socket }> {
  let accepted: (socket: net.Socket) => void = () => undefined;
  const met = new Promise<net.Socket>((resolve) => (accepted = resolve));
  const client = net.connect({ port: await target(accepted), host: '127.0.0.1' });
  onTestFinished(() => {
    client.destroy();
  });
  client.on('error', () => undefined);
  return { client, socket: await met };
}

const GREETING = '050100';

/** Sends bytes, in pieces of `size`, each of its own turn. */
async function send(client: net.Socket, hex: string, size = Infinity): Promise<void> {
  const bytes = Buffer.from(hex, 'hex');
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise<void>((resolve) => {
      client.write(bytes.subarray(at, at + size), () => {
        setImmediate(resolve);
      });
    });
  }
}

const name = (host: string): string =>
  Buffer.from([host.length, ...Buffer.from(host)]).toString('hex');

describe('a request', () => {
  test.each([
    ['IPv4', '05010001 7f000001 1f90', { host: '127.0.0.1', port: 8080 }],
    ['IPv6', `05010004 20010db8000000000000000000000001 01bb`, { host: '2001:db8::1', port: 443 }],
    ['a name', `05010003 ${name('db.example.org')} 1538`, { host: 'db.example.org', port: 5432 }],
    ['a name that is an address', `05010003 ${name('[::1]')} 0050`, { host: '::1', port: 80 }],
  ])('with %s is read, whole and byte by byte', async (_, request, expected) => {
    const hex = GREETING + request.replaceAll(' ', '');
    for (const size of [Infinity, 1]) {
      const { client, socket } = await pair();
      const read = readSocksRequest(socket);
      await send(client, hex, size);
      expect(await read).toEqual(expected);
      expect((await readExactly(client, 2)).toString('hex')).toBe('0500');
    }
  });

  test('leaves what follows it in the socket', async () => {
    const { client, socket } = await pair();
    await send(client, `${GREETING}05010001010203040050${Buffer.from('GET /').toString('hex')}`);
    client.end();
    expect(await readSocksRequest(socket)).toEqual({ host: '1.2.3.4', port: 80 });
    expect((await readAll(socket)).toString()).toBe('GET /');
  });

  test('finds no login among other methods', async () => {
    const { client, socket } = await pair();
    const read = readSocksRequest(socket);
    await send(client, '0503020100' + '0501000101020304' + '0050');
    expect(await read).toEqual({ host: '1.2.3.4', port: 80 });
  });

  test.each([
    ['only a login', '050102', '05ff', /wants to log in/],
    ['no method', '0500', '05ff', /wants to log in/],
    ['BIND', `${GREETING}05020001010203040050`, '050005070001000000000000', /wants BIND/],
    ['UDP', `${GREETING}0503000100000000abcd`, '050005070001000000000000', /UDP ASSOCIATE/],
    ['another command', `${GREETING}05f00001010203040050`, '050005070001000000000000', /240/],
    ['another type', `${GREETING}050100020102`, '050005080001000000000000', /no type 2/],
    ['another version', `${GREETING}04010001010203040050`, '050005010001000000000000', /not one/],
    ['port 0', `${GREETING}05010001010203040000`, '050005010001000000000000', /no port 0/],
    ['no name', `${GREETING}05010003000050`, '050005010001000000000000', /no host is called ""/],
    [
      'a name with a line feed',
      `${GREETING}05010003${name('a\nconnect b')}0050`,
      '050005010001000000000000',
      /no host is called "a\\nconnect b"/,
    ],
    [
      'a name with a port',
      `${GREETING}05010003${name('a:22')}0050`,
      '050005010001000000000000',
      /no host is called "a:22"/,
    ],
    ['SOCKS 4', '0401005001020304' + '00', '005b000000000000', /speaks SOCKS 4/],
    ['TLS', '1603010200', '', /does not speak SOCKS 5/],
  ])('is answered and refused with %s', async (_, request, answer, line) => {
    const { client, socket } = await pair();
    await send(client, request);
    const answered = readAll(client);
    await expect(readSocksRequest(socket)).rejects.toThrow(line);
    // The rest of the client's words does not reset the connection under the answer.
    client.write('more');
    expect((await answered).toString('hex')).toBe(answer);
    client.end();
    await once(socket, 'close');
  });

  test.each(['GET / HTTP/1.1\r\n\r\n', 'CONNECT a:443 HTTP/1.1\r\n\r\n', 'POST / HTTP/1.1\r\n'])(
    'is answered in HTTP where it is %j',
    async (request) => {
      const { client, socket } = await pair();
      client.end(request);
      const answered = readAll(client);
      await expect(readSocksRequest(socket)).rejects.toThrow(/it speaks HTTP/);
      expect((await answered).toString()).toMatch(
        /^HTTP\/1\.1 400 Bad Request\r\n[^]*This port speaks SOCKS 5, not HTTP/,
      );
    },
  );

  test('is none where the client leaves without a word', async () => {
    const { client, socket } = await pair();
    client.end();
    expect(await readSocksRequest(socket)).toBeUndefined();
  });

  test.each(['05', '0502', GREETING, `${GREETING}05010003ff61`])(
    'fails where the client leaves after %s',
    async (hex) => {
      const { client, socket } = await pair();
      await send(client, hex);
      client.end();
      await expect(readSocksRequest(socket)).rejects.toThrow(/ended its connection within/);
    },
  );

  test.each(['', '05', GREETING])('fails where nothing follows %j in time', async (hex) => {
    const { client, socket } = await pair();
    await send(client, hex);
    await expect(readSocksRequest(socket, 50)).rejects.toThrow(/did not finish its request/);
    expect(socket.listenerCount('readable')).toBe(0);
  });
});

describe('an answer', () => {
  test('says that it is connected', async () => {
    const { client, socket } = await pair();
    acceptSocks(socket);
    expect((await readExactly(client, 10)).toString('hex')).toBe('05000001000000000000');
  });

  test.each([
    ['EACCES', 2],
    ['ENETUNREACH', 3],
    ['EHOSTUNREACH', 4],
    ['ENOTFOUND', 4],
    ['ECONNREFUSED', 5],
    ['ETIMEDOUT', 6],
    ['EPROTO', 1],
    ['constructor', 1],
    [undefined, 1],
  ])('says %s by %i', async (errno, code) => {
    const { client, socket } = await pair();
    client.end();
    const answered = readAll(client);
    refuseSocks(socket, errno);
    expect((await answered).toString('hex')).toBe(`050${String(code)}0001000000000000`);
  });
});
