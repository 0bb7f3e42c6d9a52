import { Aedes } from 'aedes';
import { MqttClient } from 'mqtt';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect, createServer, type WsConnServer } from '../../src/index.ts';
import { bytesOf, sha256 } from '../support/bytes.ts';
import { next } from '../support/events.ts';

const MIB = 1024 * 1024;

describe('MQTT over adapters, with a broker that is handed them', () => {
  let broker: Aedes;
  let server: WsConnServer;
  let url: string;

  beforeAll(async () => {
    broker = await Aedes.createBroker();
    server = createServer((socket) => broker.handle(socket)).listen(0, '127.0.0.1');
    await next(server, 'listening');
    url = `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterAll(async () => {
    await new Promise<void>((resolve) => {
      broker.close(resolve);
    });
    await server.close();
  });

  async function startClient(): Promise<MqttClient> {
    const client = new MqttClient(() => connect(url), { reconnectPeriod: 0, keepalive: 60 });
    await new Promise<unknown>((resolve) => client.once('connect', resolve));
    return client;
  }

  test('a message of 1 MiB goes from one client to the other, with every quality of service', async () => {
    const [subscriber, publisher] = await Promise.all([startClient(), startClient()]);
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
  });

  test('a thousand small messages arrive in order', async () => {
    const client = await startClient();
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
