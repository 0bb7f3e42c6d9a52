import { randomBytes } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { next } from '../support/events.ts';
import { type LinkOptions } from '../support/links/link.ts';
import { startLink } from '../support/links/start-link.ts';

/**
 * The laboratory itself, over bare TCP: a hop that did something else than it says would prove
 * nothing.
 */

/** Connects through a link to a socket at the far end. */
async function connected(options: LinkOptions) {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await next(server, 'listening');
  const link = await startLink((server.address() as AddressInfo).port, options);
  const accepted = next(server, 'connection');
  return {
    link,
    dial: async () => {
      const near = net.connect({ port: link.port, host: '127.0.0.1', allowHalfOpen: true });
      near.on('error', () => undefined);
      const [far] = (await accepted) as [net.Socket];
      far.on('error', () => undefined);
      onTestFinished(async () => {
        near.destroy();
        far.destroy();
        await new Promise((resolve) => server.close(resolve));
      });
      return { near, far };
    },
  };
}

/** Reads to the end; unlike `for await`, it leaves the other direction open. */
async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await next(socket, 'end');
  return Buffer.concat(chunks);
}

describe('a link of the laboratory', () => {
  test('passes bytes and both ends on, as they were', async () => {
    const { dial, link } = await connected({ piece: 1000 });
    const { near, far } = await dial();
    const bytes = randomBytes(300_000);
    near.end(bytes);
    expect(await readAll(far)).toEqual(bytes);
    far.end(bytes.subarray(0, 10));
    expect(await readAll(near)).toEqual(bytes.subarray(0, 10));
    expect([link.passed('up'), link.passed('down')]).toEqual([300_000, 10]);
  });

  test('passes no more than its rate, and no sooner than its delay', async () => {
    const { dial } = await connected({ rate: 100_000, delay: 100 });
    const { near, far } = await dial();
    const since = performance.now();
    near.end(Buffer.alloc(50_000));
    await next(far, 'data');
    expect(performance.now() - since).toBeGreaterThan(95);
    far.resume();
    await next(far, 'end');
    expect(performance.now() - since).toBeGreaterThan(450);
  });

  test('stalls one direction and lets the other through', async () => {
    const { dial, link } = await connected({});
    const { near, far } = await dial();
    link.stall('up');
    near.write('up');
    far.write('down');
    expect(String((await next(near, 'data'))[0])).toBe('down');
    expect(link.passed('up')).toBe(0);
    link.flow('up');
    expect(String((await next(far, 'data'))[0])).toBe('up');
  });

  for (const how of ['fin', 'rst'] as const) {
    test(`cuts both sides by ${how.toUpperCase()} at the byte that it was told`, async () => {
      const { dial, link } = await connected({});
      link.cutAt(1234, 'up', how);
      const { near, far } = await dial();
      let got = 0;
      far.on('data', (chunk: Buffer) => (got += chunk.length));
      const ends = [near, far].map((socket) => next(socket, how === 'fin' ? 'end' : 'close'));
      near.resume();
      near.write(Buffer.alloc(5000));
      await Promise.all(ends);
      if (how === 'fin') expect(got).toBe(1234);
      else expect(got).toBeLessThanOrEqual(1234);
      expect(link.passed('up')).toBe(1234);
    });
  }

  test('drops a connection on which nothing moves', async () => {
    const { dial, link } = await connected({ idleLimit: 50 });
    const { near } = await dial();
    near.resume();
    await next(near, 'end');
    expect(link.drops).toBe(1);
  });
});
