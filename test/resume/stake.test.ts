import { once } from 'node:events';
import type net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { CuttingRelay } from '../support/links/cutting-relay.ts';

test('what was written while there was no WebSocket counts as not acknowledged', async () => {
  const server = createServer({ resume: true }, (connection) => {
    connection.on('error', () => undefined);
    connection.pipe(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.close());
  const relay = await CuttingRelay.start((server.address() as net.AddressInfo).port);
  onTestFinished(() => relay.stop());
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
