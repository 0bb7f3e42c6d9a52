import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { printed, startExample } from '../support/programs/program.ts';
import { readAll } from '../support/reading.ts';

const MIB = 1024 * 1024;

test('the answer to a request that a FIN ended arrives, as after `printf x | nc -N`', async ({
  onTestFinished,
}) => {
  const answer = bytesOf(1, MIB);
  // Answers when the whole request is there, which only its FIN can tell.
  const target = net.createServer({ allowHalfOpen: true }, (socket) => {
    void readAll(socket).then((request) => socket.end(Buffer.concat([request, answer])));
  });
  target.listen(0, '127.0.0.1');
  onTestFinished(() => void target.close());
  await once(target, 'listening');
  const { port: targetPort } = target.address() as AddressInfo;

  const server = startExample('tcp-tunnel.ts', 'server', '0', `127.0.0.1:${String(targetPort)}`);
  onTestFinished(() => server.stop());
  const [url] = await printed(server, /ws:\S+/);
  const client = startExample('tcp-tunnel.ts', 'client', '0', url);
  onTestFinished(() => client.stop());
  const [, port] = await printed(client, /:(\d+) ->/);

  for (const request of ['', 'x', 'y'.repeat(MIB)]) {
    const socket = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    socket.end(request);
    expect(sha256(await readAll(socket))).toBe(sha256([Buffer.from(request), answer]));
  }
});

test('a target that is not there resets the client, and the tunnel says why', async ({
  onTestFinished,
}) => {
  const server = startExample('tcp-tunnel.ts', 'server', '0', '127.0.0.1:1');
  onTestFinished(() => server.stop());
  const [url] = await printed(server, /ws:\S+/);
  const client = startExample('tcp-tunnel.ts', 'client', '0', url);
  onTestFinished(() => client.stop());
  const [, port] = await printed(client, /:(\d+) ->/);

  const socket = net.connect(Number(port), '127.0.0.1');
  await expect(readAll(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await printed(server, /ECONNREFUSED/, 'stderr');
});
