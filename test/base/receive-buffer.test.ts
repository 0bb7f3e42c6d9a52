import { once } from 'node:events';
import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { ReceiveBuffer } from '../../src/base/receive-buffer.ts';
import { bytesOf, cutAtRandom } from '../../src/conformance/frame/bytes.ts';
import { ReadBuffer } from '../../src/yamux/stream/read-buffer.ts';
import { WindowBudget } from '../../src/yamux/stream/receive-window.ts';
import { turns } from '../support/events.ts';

/** What feeds a Readable: for the adapter, and for a yamux stream. */
type Feed = Pick<ReceiveBuffer, 'add' | 'afterRead' | 'beforeRead' | 'end' | 'want'>;

/** A Readable that is fed as a stream of this package is, without a connection. */
class Fed extends Readable {
  readonly feed: Feed;

  constructor(makeFeed: (stream: Readable) => Feed, highWaterMark: number | undefined) {
    super(highWaterMark === undefined ? {} : { highWaterMark });
    this.feed = makeFeed(this);
  }

  override read(size?: number): unknown {
    this.feed.beforeRead(size);
    const chunk: unknown = super.read(size);
    this.feed.afterRead(size, chunk !== null);
    return chunk;
  }

  override _read(): void {
    this.feed.want();
  }
}

const feeds: Record<string, (stream: Readable) => Feed> = {
  'an adapter': (stream) =>
    new ReceiveBuffer(stream, { pause: () => undefined, resume: () => undefined }),
  'a yamux stream': (stream) => {
    const buffer = new ReadBuffer(stream, new WindowBudget(Infinity));
    buffer.adopt();
    return buffer;
  },
};

type Reader = (stream: Fed, chunks: Buffer[], random: () => number) => void;

/** Ways to read a stream, each of which the others must agree with. */
const readers: Record<string, Reader> = {
  "by 'data'": (stream, chunks) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  },
  "by 'data', with pauses": (stream, chunks, random) => {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (random() < 0.5) return;
      stream.pause();
      const goOn = (): void => void stream.resume();
      if (random() < 0.3) process.nextTick(goOn);
      else if (random() < 0.5) queueMicrotask(goOn);
      else setImmediate(goOn);
    });
  },
  "by 'readable' and read()": (stream, chunks) => {
    stream.on('readable', () => {
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read())
        chunks.push(chunk as Buffer);
    });
  },
  "by 'readable' and read(n)": (stream, chunks, random) => {
    stream.on('readable', () => {
      for (;;) {
        const chunk = stream.read(1 + Math.floor(random() * 200_000)) as Buffer | null;
        if (chunk === null) return;
        chunks.push(chunk);
      }
    });
  },
  'by for await': (stream, chunks) => {
    void (async () => {
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    })();
  },
};

function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe.each(Object.entries(feeds))('what waits for a reader of %s', (_name, makeFeed) => {
  for (const [name, read] of Object.entries(readers)) {
    test(`comes out whole and in order ${name}, however the messages came`, async () => {
      for (let seed = 1; seed <= 30; seed++) {
        const random = generator(seed);
        const bytes = bytesOf(seed, 400_000);
        const stream = new Fed(makeFeed, [0, 1, 16, 65_536][seed % 4]);
        const chunks: Buffer[] = [];
        const ended = once(stream, 'end');
        const begun = random() < 0.5;
        if (begun) read(stream, chunks, random);
        const most = [30, 700, 9_000, 70_000][Math.floor(random() * 4)] ?? 1;
        for (const piece of cutAtRandom(bytes, seed, most)) {
          stream.feed.add(piece);
          if (random() < 0.05) await turns(1);
        }
        if (random() < 0.5) stream.feed.end();
        else
          setImmediate(() => {
            stream.feed.end();
          });
        if (!begun) read(stream, chunks, random);
        await ended;
        expect(Buffer.concat(chunks).equals(bytes), `seed ${String(seed)}`).toBe(true);
      }
    });
  }

  test("is shown to a listener of 'readable' that goes by readableLength", async () => {
    const stream = new Fed(makeFeed, 65_536);
    let got = 0;
    const whole = new Promise<void>((resolve) => {
      stream.on('readable', () => {
        while (stream.readableLength >= 10) got += (stream.read(10) as Buffer).length;
        if (got === 40) resolve();
      });
    });
    for (let i = 0; i < 10; i++) {
      stream.feed.add(Buffer.alloc(4));
      await turns(2);
    }
    await whole;
  });

  test('is held together, however small the pieces were that came one a turn', async () => {
    const COUNT = 2_000;
    const stream = new Fed(makeFeed, 65_536);
    for (let i = 0; i < COUNT; i++) {
      stream.feed.add(Buffer.of(i & 0xff));
      await turns(1);
    }
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.feed.end();
    await once(stream, 'end');
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.from(Array.from({ length: COUNT }, (_, i) => i & 0xff)),
    );
    expect(chunks.length).toBeLessThan(10);
  });
});
