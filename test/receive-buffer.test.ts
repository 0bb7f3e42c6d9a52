import { once } from 'node:events';
import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { ReceiveBuffer } from '../src/receive-buffer.ts';
import { bytesOf, cutAtRandom } from './support/bytes.ts';
import { turns } from './support/events.ts';

/** A Readable that is fed as the adapter is, without a WebSocket. */
class Fed extends Readable {
  paused = false;
  readonly buffer = new ReceiveBuffer(this, {
    pause: () => {
      this.paused = true;
    },
    resume: () => {
      this.paused = false;
    },
  });

  override read(size?: number): unknown {
    this.buffer.beforeRead(size);
    const chunk: unknown = super.read(size);
    this.buffer.afterRead(size, chunk !== null);
    return chunk;
  }

  override _read(): void {
    this.buffer.want();
  }
}

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
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
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

describe('what waits for a reader', () => {
  for (const [name, read] of Object.entries(readers)) {
    test(`comes out whole and in order ${name}, however the messages came`, async () => {
      for (let seed = 1; seed <= 30; seed++) {
        const random = generator(seed);
        const bytes = bytesOf(seed, 400_000);
        const stream = new Fed({ highWaterMark: [0, 1, 16, 65_536][seed % 4] });
        const chunks: Buffer[] = [];
        const ended = once(stream, 'end');
        const begun = random() < 0.5;
        if (begun) read(stream, chunks, random);
        const most = [30, 700, 9_000, 70_000][Math.floor(random() * 4)] ?? 1;
        for (const piece of cutAtRandom(bytes, seed, most)) {
          stream.buffer.add(piece);
          if (random() < 0.05) await turns(1);
        }
        if (random() < 0.5) stream.buffer.end();
        else
          setImmediate(() => {
            stream.buffer.end();
          });
        if (!begun) read(stream, chunks, random);
        await ended;
        expect(Buffer.concat(chunks).equals(bytes), `seed ${String(seed)}`).toBe(true);
      }
    });
  }
});
