import tls from 'node:tls';

import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { closeOf, next } from '../../support/events.ts';
import { resumablePair } from '../../support/pairs/resumable-pair.ts';
import { makeCertificate } from '../../support/programs/certificate.ts';
import { describeWith } from '../../support/programs/program.ts';
import { readAll } from '../../support/reading.ts';

const MIB = 1024 * 1024;
const NAME = 'device.internal';

describeWith('openssl', 'TLS over a connection that outlives its WebSocket', (openssl) => {
  test('8 MiB go each way at once while the path is cut, and TLS sees nothing of it', async () => {
    const pair = await resumablePair({ allowHalfOpen: true });
    onTestFinished(() => pair.stop());
    const certificate = makeCertificate(openssl, NAME);
    const server = tls.createServer(certificate);
    const connection = next(server, 'secureConnection');
    server.emit('connection', pair.b);
    const client = tls.connect({ socket: pair.a, servername: NAME, ca: certificate.cert });
    const [accepted] = (await connection) as [tls.TLSSocket];
    const closed = Promise.all([closeOf(pair.a), closeOf(pair.b)]);
    pair.cutEvery(2 * MIB);
    const [up, down] = [bytesOf(1, 8 * MIB), bytesOf(2, 8 * MIB)];
    client.end(up);
    const reading = [readAll(accepted), readAll(client)] as const;
    accepted.end(down);
    const [atServer, atClient] = await Promise.all(reading);
    expect([sha256(atServer), sha256(atClient)]).toEqual([sha256(up), sha256(down)]);
    expect(pair.lost()).toBeGreaterThan(2);
    await closed;
    expect([pair.a.errored, pair.b.errored]).toEqual([null, null]);
  });
});
