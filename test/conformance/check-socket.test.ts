import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';

import { expect, test } from 'vitest';

import { checkSocket, NET_SOCKET, type PromiseReport } from '../../src/conformance/index.ts';
import { tcpPair } from '../support/pairs/pairs.ts';

const about =
  (...groups: string[]) =>
  ({ group }: Pick<PromiseReport, 'group'>) =>
    groups.includes(group);

function outcomesOf(promises: readonly PromiseReport[]): Set<string> {
  return new Set(promises.map(({ outcome }) => outcome));
}

test('net.Socket keeps what it claims, and what it does not claim is tried and does not count', async () => {
  const report = await checkSocket(tcpPair, {
    features: NET_SOCKET,
    only: about('destroying', 'half close', 'close()'),
  });
  expect(report.ok).toBe(true);
  const of = (group: string) => report.promises.filter((one) => one.group === group);
  expect(outcomesOf(of('half close'))).toEqual(new Set(['kept']));
  expect(outcomesOf(of('close()'))).toEqual(new Set(['untried']));
  expect(of('close()')[0]?.why[0]).toContain('there is no close()');
  const broken = of('destroying').filter(({ outcome }) => outcome === 'broken');
  expect(broken.map(({ claimed }) => claimed)).toEqual([false, false]);
});

test('a claimed promise that is broken counts', async () => {
  const only = ({ promise }: Pick<PromiseReport, 'promise'>) =>
    promise === 'destroy(error) is ECONNRESET for the peer';
  const report = await checkSocket(tcpPair, { features: { cuts: true }, only });
  expect(report).toMatchObject({ ok: false, promises: [{ outcome: 'broken', claimed: true }] });
  const excepted = await checkSocket(tcpPair, {
    features: { cuts: true },
    except: ['destroying'],
    only,
  });
  expect(excepted).toMatchObject({ ok: true, promises: [{ outcome: 'broken', claimed: false }] });
});

test('what is said not to be there is not tried', async () => {
  const { ok, promises } = await checkSocket(tcpPair, {
    features: { halfClose: false },
    only: about('half close'),
  });
  expect(ok).toBe(true);
  expect(outcomesOf(promises)).toEqual(new Set(['untried']));
  expect(promises[0]?.why).toContain('a: halfClose is not there');
});

test('an exception that names nothing is refused', async () => {
  await expect(checkSocket(tcpPair, { except: ['half closing'] })).rejects.toThrow(
    "names no group and no promise of the suite: 'half closing'",
  );
});

test('a pair that cannot be made is the reason why nothing works', async () => {
  const makePair = () => Promise.reject(new Error('no more ports'));
  await expect(checkSocket(makePair)).rejects.toThrow('no more ports');
});

test('stop() that hangs fails the case, and an error of the case comes first', async () => {
  let made = 0;
  const report = await checkSocket(
    () => {
      const [a, b] = duplexPair({ allowHalfOpen: false });
      // The first pair is the one that is looked at for methods.
      const stop = () => (made++ === 0 ? undefined : new Promise<void>(() => undefined));
      return { a, b, stop };
    },
    { only: about('ping-pong'), timeLimit: 100 },
  );
  for (const { outcome, why } of report.promises) {
    expect(outcome).toBe('broken');
    expect(why[0]).toContain('after 100 ms it still waits for stop() of the pair');
  }
});

test('a pair that comes after the time limit is stopped', async () => {
  let stopped = 0;
  let first = true;
  await checkSocket(
    async () => {
      if (!first) await new Promise((resolve) => setTimeout(resolve, 50));
      first = false;
      const [a, b] = duplexPair();
      return {
        a,
        b,
        stop: () => {
          stopped++;
        },
      };
    },
    { only: about('ping-pong'), timeLimit: 20 },
  );
  await expect.poll(() => stopped).toBe(3);
});

/** Faults that a stream may have, each in a pair that is right otherwise. */
const faults: Readonly<Record<string, readonly [(a: Duplex, b: Duplex) => void, string]>> = {
  "a second 'close'": [
    (a) => {
      a.once('close', () => setImmediate(() => a.emit('close', false)));
    },
    'destroying',
  ],
  'a callback that comes twice': [
    (a) => {
      const write = a.write.bind(a) as (chunk: unknown, callback?: () => void) => boolean;
      a.write = ((chunk: unknown, callback?: () => void) =>
        write(chunk, () => {
          callback?.();
          callback?.();
        })) as typeof a.write;
    },
    'writes that wait when the connection ends',
  ],
  'a byte that is lost': [
    (a) => {
      const write = a.write.bind(a) as (...args: unknown[]) => boolean;
      let count = 0;
      a.write = ((chunk: Uint8Array, ...rest: unknown[]) =>
        write(++count === 40 ? chunk.subarray(1) : chunk, ...rest)) as typeof a.write;
    },
    'basic I/O',
  ],
  'a writer that is never held back': [
    (a) => {
      const write = a.write.bind(a) as (...args: unknown[]) => boolean;
      a.write = ((...args: unknown[]) => {
        write(...args);
        return true;
      }) as typeof a.write;
    },
    'back pressure',
  ],
};

test.each(Object.entries(faults))('%s is found', async (_name, [plant, group]) => {
  const { ok, promises } = await checkSocket(
    async (options) => {
      const pair = await tcpPair(options);
      plant(pair.a, pair.b);
      return pair;
    },
    { features: NET_SOCKET, only: about(group), timeLimit: 2_000 },
  );
  expect(ok).toBe(false);
  expect(promises.filter(({ outcome }) => outcome === 'broken').length).toBeGreaterThan(0);
});

test('the suite imports nothing but Node and itself', () => {
  const folder = path.join(import.meta.dirname, '../../src/conformance');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const foreign = files.flatMap((file) => {
    const text = readFileSync(path.join(folder, file), 'utf8').replaceAll(/^ \*.*$/gm, '');
    return [...text.matchAll(/\bfrom '([^']+)'/g)]
      .map(([, from = '']) => from)
      .filter((from) => {
        const target = path.relative(folder, path.join(folder, path.dirname(file), from));
        return !from.startsWith('node:') && (!from.startsWith('.') || target.startsWith('..'));
      })
      .map((from) => `${file}: ${from}`);
  });
  expect(files.length).toBeGreaterThan(20);
  expect(foreign).toEqual([]);
});
