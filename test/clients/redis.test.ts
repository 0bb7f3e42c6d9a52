import { AbstractConnector, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { bytesOf } from '../../src/conformance/frame/bytes.ts';
import { type Tunnel, tunnelTo } from '../support/pairs/tunnel.ts';
import { type Database, startRedis } from '../support/programs/databases.ts';
import { describeWith } from '../support/programs/program.ts';

const MIB = 1024 * 1024;

describeWith('redis-server', 'ioredis through an adapter to a real Redis', (redisServer) => {
  let database: Database;
  let tunnel: Tunnel;

  beforeAll(async () => {
    database = await startRedis(redisServer);
    tunnel = await tunnelTo(database.target);
  });
  afterAll(async () => {
    await tunnel.stop();
    await database.stop();
  });

  function connectRedis(): Redis {
    class TunnelConnector extends AbstractConnector {
      constructor() {
        super(1_000);
      }
      override connect() {
        this.stream = tunnel.open();
        return Promise.resolve(this.stream);
      }
    }
    return new Redis({ Connector: TunnelConnector, keepAlive: 1, noDelay: true });
  }

  test('a value of 1 MiB goes in and comes back', async () => {
    const redis = connectRedis();
    const value = bytesOf(1, MIB);
    await redis.set('large', value);
    expect(value.equals((await redis.getBuffer('large')) ?? Buffer.alloc(0))).toBe(true);
    await redis.quit();
    await tunnel.quiet();
  });

  test('a pipeline of ten thousand commands is answered in order', async () => {
    const redis = connectRedis();
    const pipeline = redis.pipeline();
    for (let i = 1; i <= 10_000; i++) pipeline.incr('counter');
    const results = await pipeline.exec();
    expect(results?.map(([, count]) => count)).toEqual(
      Array.from({ length: 10_000 }, (_, i) => i + 1),
    );
    await redis.quit();
    await tunnel.quiet();
  });

  test('a subscriber gets what another connection publishes', async () => {
    const [subscriber, publisher] = [connectRedis(), connectRedis()];
    await subscriber.subscribe('news');
    const message = new Promise((resolve) => {
      subscriber.once('message', (_channel: string, text: string) => {
        resolve(text);
      });
    });
    await publisher.publish('news', 'hello');
    expect(await message).toBe('hello');
    await Promise.all([subscriber.quit(), publisher.quit()]);
    await tunnel.quiet();
  });
});
