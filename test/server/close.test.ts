import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { schedules } from '../../src/conformance/frame/schedules.ts';
import {
  connect,
  createServer,
  type CreateServerOptions,
  type WsConnServer,
} from '../../src/index.ts';
import { next, record, turns } from '../support/events.ts';
import { stopAfterTest } from '../support/pairs/meet.ts';
import { dialTcp, handshakeRequest, rawClient } from '../support/peers/raw-peer.ts';

async function listening(
  options: CreateServerOptions = {},
): Promise<{ server: WsConnServer; port: number }> {
  const server = createServer(options).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('close() of a server', () => {
  test('ends every connection with 1001, by which the clients know that they were cut', async () => {
    const { server, port } = await listening();
    const clients = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = connect(`ws://127.0.0.1:${String(port)}`);
        stopAfterTest(client);
        await Promise.all([next(client, 'connect'), next(server, 'connection')]);
        return client;
      }),
    );
    expect(server.connections).toBe(3);
    const recordings = clients.map((client) => record(client.resume()));
    await server.close();
    await Promise.all(recordings.map(({ closed }) => closed));
    for (const { names, errors } of recordings) {
      expect(names).toEqual(['error', 'close']);
      expect(errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1001 });
    }
    expect([server.connections, server.listening, server.address()]).toEqual([0, false, null]);
  });

  test('sends Close 1001 and waits no longer than closeTimeout for the answer', async () => {
    const { server, port } = await listening({ closeTimeout: 100 });
    server.on('connection', (adapter) => adapter.on('error', () => undefined));
    const { peer } = await rawClient(port);
    const closing = server.close();
    expect(await peer.closeCode()).toBe(1001);
    await closing;
    peer.socket.destroy();
  });

  test("is told by 'close', by the promise and by the callback, in this order", async () => {
    const { server } = await listening();
    const order: string[] = [];
    server.on('close', () => order.push('event'));
    const called = new Promise<void>((resolve) => {
      void server.close(() => {
        order.push('callback');
        resolve();
      });
    });
    void server.close().then(() => order.push('promise'));
    await called;
    expect(order).toEqual(['event', 'promise', 'callback']);
  });

  test.each(Object.entries(schedules))(
    'does its work once for fifty callers %s',
    async (_name, schedule) => {
      const { server } = await listening();
      let events = 0;
      let callbacks = 0;
      server.on('close', () => events++);
      const promises = new Set<Promise<void>>();
      const calls = Array.from({ length: 50 }, () => {
        return new Promise<void>((resolve) => {
          schedule(() => {
            promises.add(server.close(() => callbacks++));
            resolve();
          });
        });
      });
      await Promise.all(calls);
      await server.close();
      await turns(2);
      expect([promises.size, events, callbacks]).toEqual([1, 1, 50]);
    },
  );

  test("does its work once when a listener of 'refused' closes too", async () => {
    const gate = new EventEmitter();
    const asked = next(gate, 'asked');
    const { server, port } = await listening({
      authenticate: () => {
        gate.emit('asked');
        return new Promise(() => undefined);
      },
    });
    const waiting = await dialTcp(port);
    onTestFinished(() => {
      waiting.destroy();
    });
    waiting.resume().write(handshakeRequest());
    await asked;
    let events = 0;
    let inner: Promise<void> | undefined;
    server.on('close', () => events++);
    server.on('refused', () => {
      inner = server.close();
    });
    const outer = server.close();
    await outer;
    await turns(2);
    expect(inner).toBe(outer);
    expect(events).toBe(1);
  });

  test('also ends clients that have sent no request yet', async () => {
    const { server, port } = await listening();
    const socket = await dialTcp(port);
    const ended = next(socket.resume(), 'end');
    await server.close();
    await ended;
    socket.destroy();
  });

  test('is what await using calls, and does no harm to a server that never listened', async () => {
    const server = createServer();
    let events = 0;
    server.on('close', () => events++);
    {
      await using using = server;
      expect(using.listening).toBe(false);
    }
    expect(events).toBe(1);
    expect(() => server.listen(0)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error,
    );
  });
});

test('a port that is taken is an error of the server, which can be closed', async () => {
  const { port } = await listening();
  const server = createServer().listen(port, '127.0.0.1');
  expect((await next(server, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE' });
  await server.close();
});

test('after a port that was taken, listen() may be tried again', async () => {
  const { port } = await listening();
  const server = createServer().listen(port, '127.0.0.1');
  await next(server, 'error');
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  expect((server.address() as AddressInfo).port).not.toBe(port);
  await server.close();
});

test('listen() twice is an error', async () => {
  const { server } = await listening();
  expect(() => server.listen(0)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error,
  );
});
