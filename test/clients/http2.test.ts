import { once } from 'node:events';
import http2 from 'node:http2';
import { buffer } from 'node:stream/consumers';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import type { WsConnAdapter } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { adapterPair } from '../support/pairs/pairs.ts';

const KIB = 1024;

/** Makes a pair of adapters with an HTTP/2 session in it, whose server sends back what it gets. */
async function startSession(): Promise<{
  session: http2.ClientHttp2Session;
  adapters: WsConnAdapter[];
}> {
  const pair = await adapterPair();
  onTestFinished(() => pair.stop());
  const { a, b } = pair;
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200, path: headers[':path'] });
    stream.pipe(stream);
  });
  server.emit('connection', b);
  const session = http2.connect('http://device.internal', { createConnection: () => a });
  return { session, adapters: [a, b] };
}

describe('http2 over an adapter, both ends', () => {
  test('fifty streams of one session share the connection, and it ends in order', async () => {
    const { session, adapters } = await startSession();
    const closed = Promise.all(adapters.map(closeOf));
    const body = bytesOf(1, 128 * KIB);
    const hashes = Array.from({ length: 50 }, async (_, i) => {
      const stream = session.request({ ':method': 'POST', ':path': `/${String(i)}` });
      stream.end(body);
      const [[headers], echo] = await Promise.all([
        once(stream, 'response') as Promise<[http2.IncomingHttpHeaders]>,
        buffer(stream),
      ]);
      expect(headers['path']).toBe(`/${String(i)}`);
      return sha256(echo);
    });
    expect(new Set(await Promise.all(hashes))).toEqual(new Set([sha256(body)]));
    session.close();
    await closed;
    expect(adapters.map(({ errored }) => errored)).toEqual([null, null]);
  });

  test('a session that is destroyed takes the connection with it', async () => {
    const { session, adapters } = await startSession();
    await once(session, 'connect');
    const closed = Promise.all(adapters.map(closeOf));
    session.destroy();
    await closed;
  });
});
