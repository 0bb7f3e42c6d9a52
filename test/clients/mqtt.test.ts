import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { Aedes } from 'aedes';
import { MqttClient } from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, createServer } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { tunnelTo } from '../support/pairs/tunnel.ts';

const MIB = 1024 * 1024;

// aedes reads once for each 'readable'. From Node 26 on that gives it one chunk of several, and it
// leaves the rest; over ws's own createWebSocketStream() too. TCP brings one chunk at a time.
const readsAll = Number(process.versions.node.split('.')[0]) < 26;

async function startBroker(): Promise<Aedes> {
  const broker = await Aedes.createBroker();
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        broker.close(resolve);
      }),
  );
  return broker;
}

/** Starts a broker behind a tunnel. Returns the tunnel's URL. */
async function startBehindTunnel(): Promise<string> {
  const broker = await startBroker();
  const server = net.createServer((socket) => broker.handle(socket)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const tunnel = await tunnelTo({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
  });
  onTestFinished(tunnel.stop);
  return tunnel.url;
}

/** Starts a broker that is handed adapters. Returns the URL for them. */
async function startOnAdapters(): Promise<string> {
  const broker = await startBroker();
  const server = createServer((socket) => broker.handle(socket)).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function startClient(url: string): Promise<MqttClient> {
  const client = new MqttClient(() => connect(url), { reconnectPeriod: 0, keepalive: 60 });
  await new Promise<unknown>((resolve) => client.once('connect', resolve));
  return client;
}

describe.each([
  { broker: 'a broker behind a tunnel', start: startBehindTunnel, runs: true },
  { broker: 'a broker that is handed adapters', start: startOnAdapters, runs: readsAll },
])('mqtt.js over adapters, with $broker', ({ start, runs }) => {
  test.runIf(runs)(
    'a message of 1 MiB goes from client to client, with every quality of service',
    async () => {
      const url = await start();
      const [subscriber, publisher] = await Promise.all([startClient(url), startClient(url)]);
      await subscriber.subscribeAsync('large', { qos: 2 });
      const payload = bytesOf(1, MIB);
      for (const qos of [0, 1, 2] as const) {
        const message = new Promise<Buffer>((resolve) => {
          subscriber.once('message', (_topic, received) => {
            resolve(received);
          });
        });
        await publisher.publishAsync('large', payload, { qos });
        expect(sha256(await message)).toBe(sha256(payload));
      }
      await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
    },
  );

  test.runIf(runs)('a thousand small messages arrive in order', async () => {
    const client = await startClient(await start());
    await client.subscribeAsync('count');
    const received: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (_topic, payload) => {
        received.push(Number(payload.toString()));
        if (received.length === 1_000) resolve();
      });
    });
    for (let i = 0; i < 1_000; i++) client.publish('count', String(i));
    await all;
    expect(received).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    await client.endAsync();
  });
});
