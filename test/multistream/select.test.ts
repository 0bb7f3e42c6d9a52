import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { select } from '../../src/multistream/index.ts';
import { turns } from '../support/events.ts';
import { readAll } from '../support/reading.ts';
import { HEADER, line, RawEnd } from './raw-end.ts';

const AGREED = HEADER + line('/a');

test('the first proposal leaves at once, with the header and the first bytes in one write', async () => {
  const end = new RawEnd();
  const selecting = select(end, '/a', { firstBytes: Buffer.from('payload') });
  expect(end.wrote).toBe(`${HEADER}${line('/a')}payload`);
  expect(end.writes).toBe(1);
  end.say(AGREED);
  expect(await selecting).toEqual({ protocol: '/a', stream: end });
});

test('the next proposal leaves when the one before was refused', async () => {
  const end = new RawEnd();
  const selecting = select(end, ['/a', '/b', '/a', '/é']);
  end.say(HEADER);
  await turns(2);
  expect(end.wrote).toBe(HEADER + line('/a'));
  end.say(line('na'));
  await turns(2);
  expect(end.wrote).toBe(HEADER + line('/a') + line('/b'));
  end.say(line('na'));
  await turns(2);
  end.say('\x04/\xc3\xa9\n');
  expect((await selecting).protocol).toBe('/é');
});

describe('payload behind the answer', () => {
  const all = `${AGREED}payload\n\0`;
  const cuts = Array.from({ length: all.length + 1 }, (_, at) => at);

  test.each(cuts)('comes whole, with a border of chunks at byte %i', async (at) => {
    const end = new RawEnd();
    const selecting = select(end, '/a');
    end.say(all.slice(0, at));
    await turns(1);
    end.say(all.slice(at));
    end.bringEnd('FIN');
    expect(String(await readAll((await selecting).stream))).toBe('payload\n\0');
  });

  test.each([1, 2, 3, 5, 7])('comes whole in chunks of %i bytes', async (size) => {
    const end = new RawEnd();
    end.say(all, size);
    end.bringEnd('FIN');
    const { stream } = await select(end, '/a');
    expect(String(await readAll(stream))).toBe('payload\n\0');
  });

  test('stays where it is: nothing of it was read', async () => {
    const end = new RawEnd();
    end.say(all);
    await select(end, '/a');
    expect(end.readableLength).toBe('payload\n\0'.length);
  });
});

describe('the stream afterwards', () => {
  test("ends with 'end' where the other end had ended behind its answer", async () => {
    const end = new RawEnd();
    end.say(AGREED);
    end.bringEnd('FIN');
    await select(end, '/a');
    expect(end.readableEnded).toBe(false);
    expect(String(await readAll(end))).toBe('');
  });

  test("tells a reader that waits for 'readable' of what is here already", async () => {
    const end = new RawEnd();
    end.say(`${AGREED}x`);
    await select(end, '/a');
    await once(end, 'readable');
    expect(String(end.read())).toBe('x');
  });

  test('is paused where it was paused, and flows where it was not', async () => {
    const [paused, other] = [new RawEnd(), new RawEnd()];
    paused.pause();
    for (const end of [paused, other]) {
      const came: string[] = [];
      end.say(`${AGREED}x`);
      await select(end, '/a');
      expect(end.isPaused()).toBe(end === paused);
      end.on('data', (chunk) => came.push(String(chunk)));
      await turns(2);
      expect(came).toEqual(end === paused ? [] : ['x']);
      end.resume();
      await turns(2);
      expect(came).toEqual(['x']);
    }
  });

  test("is not paused by a 'readable' listener that was taken off right before", async () => {
    const end = new RawEnd();
    const ignore = (): void => undefined;
    end.on('readable', ignore);
    await turns(2);
    end.off('readable', ignore);
    end.say(`${AGREED}x`);
    await select(end, '/a');
    expect(end.isPaused()).toBe(false);
  });

  test('has the high-water mark that it had', async () => {
    const end = new RawEnd();
    const { readableHighWaterMark } = end;
    const name = `/${'n'.repeat(1022)}`;
    end.say(`${HEADER}\x80\x08${name}\n`, 100);
    await select(end, name);
    expect(end.readableHighWaterMark).toBe(readableHighWaterMark);
  });
});

test('a second negotiation at the same time is refused, and so is a reader that comes right behind', async () => {
  const end = new RawEnd();
  const first = select(end, '/a');
  await expect(select(end, '/a')).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
  end.say(AGREED);
  expect((await first).protocol).toBe('/a');

  const other = new RawEnd();
  const selecting = select(other, '/a');
  other.on('data', () => undefined);
  await expect(selecting).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
  other.destroy();
});
