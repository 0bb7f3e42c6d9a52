import tls from 'node:tls';

import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import type { WsConnAdapter } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';
import { adapterPair } from '../support/pairs/pairs.ts';
import { type Certificate, makeCertificate } from '../support/programs/certificate.ts';
import { describeWith } from '../support/programs/program.ts';
import { readAll } from '../support/reading.ts';

const MIB = 1024 * 1024;
const NAME = 'device.internal';

describeWith('openssl', 'TLS over an adapter, both ends', (openssl) => {
  let certificate: Certificate;

  beforeAll(() => {
    certificate = makeCertificate(openssl, NAME);
  });

  async function connected(allowHalfOpen: boolean): Promise<WsConnAdapter[]> {
    const pair = await adapterPair({ allowHalfOpen });
    onTestFinished(() => pair.stop());
    return [pair.a, pair.b];
  }

  /**
   * Makes a TLS connection over a pair of adapters that may be half open. Returns both layers of
   * both ends.
   */
  async function secure(): Promise<{
    client: tls.TLSSocket;
    accepted: tls.TLSSocket;
    adapters: WsConnAdapter[];
  }> {
    const adapters = await connected(true);
    const [a, b] = adapters;
    const server = tls.createServer(certificate);
    const connection = next(server, 'secureConnection');
    server.emit('connection', b);
    const client = tls.connect({ socket: a, servername: NAME, ca: certificate.cert });
    const [accepted] = (await connection) as [tls.TLSSocket];
    return { client, accepted, adapters };
  }

  test('8 MiB go each way at once, and both directions end by themselves', async () => {
    const { client, accepted, adapters } = await secure();
    const closed = Promise.all(adapters.map(closeOf));
    const [up, down] = [bytesOf(1, 8 * MIB), bytesOf(2, 8 * MIB)];
    client.end(up);
    const reading = [readAll(accepted), readAll(client)] as const;
    accepted.end(down);
    const [atServer, atClient] = await Promise.all(reading);
    expect([sha256(atServer), sha256(atClient)]).toEqual([sha256(up), sha256(down)]);
    await closed;
    expect(adapters.map(({ errored }) => errored)).toEqual([null, null]);
  });

  test('an answer arrives after the request has ended', async () => {
    const { client, accepted, adapters } = await secure();
    const closed = Promise.all(adapters.map(closeOf));
    client.end('request');
    expect((await readAll(accepted)).toString()).toBe('request');
    accepted.end('answer');
    expect((await readAll(client)).toString()).toBe('answer');
    await closed;
  });

  test('a cut below is ECONNRESET above', async () => {
    const { client, accepted, adapters } = await secure();
    const [failed, alsoClosed] = [next(client, 'error'), closeOf(accepted)];
    client.resume();
    adapters[1]?.resetAndDestroy();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
    await alsoClosed;
  });

  test('a certificate that nobody knows ends the connection at both ends', async () => {
    const adapters = await connected(false);
    const server = tls.createServer(certificate);
    server.emit('connection', adapters[1]);
    const client = tls.connect({ socket: adapters[0], servername: NAME });
    expect(await next(client, 'error')).toMatchObject([{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }]);
    await Promise.all(adapters.map(closeOf));
  });
});
