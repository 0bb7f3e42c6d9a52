import { once } from 'node:events';
import type net from 'node:net';
import type { Duplex } from 'node:stream';

import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer, type ResumableServerOptions } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { CuttingRelay } from '../support/links/cutting-relay.ts';

async function start(options: ResumableServerOptions, onConnection: (connection: Duplex) => void) {
  const server = createServer(options, onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.close());
  const relay = await CuttingRelay.start((server.address() as net.AddressInfo).port);
  onTestFinished(() => relay.stop());
  return relay;
}

test('a client that comes back too late is told why it is not held any more', async () => {
  let failed: (error: Error) => void;
  const atServer = new Promise<Error>((resolve) => (failed = resolve));
  let handshakes = 0;
  // The client comes back at once, and is answered when it is too late.
  const authenticate = async (): Promise<boolean> => {
    if (++handshakes > 1) await atServer;
    return true;
  };
  const relay = await start({ resume: { holdTime: 1000 }, authenticate }, (connection) => {
    connection.on('error', (error) => {
      failed(error);
    });
    connection.pipe(connection);
  });
  const socket = connect(relay.url, { resume: true });
  socket.write('x');
  await once(socket, 'data');
  relay.cut();
  expect(await atServer).toMatchObject({ code: 'ETIMEDOUT' });
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error).toMatchObject({
    code: 'ECONNRESET',
    closeReason: 'the client did not come back within 1000 ms',
    cause: { statusCode: 410 },
  });
  await closeOf(socket);
});

test('what was written while there was no WebSocket counts as not acknowledged', async () => {
  const relay = await start({ resume: true }, (connection) => {
    connection.on('error', () => undefined);
    connection.pipe(connection);
  });
  const socket = connect(relay.url, { resume: { giveUpAfter: 300 } });
  socket.write('x');
  await once(socket, 'data');
  relay.unreachable = true;
  relay.cut();
  await once(socket, 'disconnect');
  socket.write('one');
  socket.write('three');
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error).toMatchObject({
    code: 'ETIMEDOUT',
    message: expect.stringContaining('; 8 written bytes were not acknowledged') as string,
  });
  await closeOf(socket);
});
