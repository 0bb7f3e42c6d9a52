import { describe, expect, test } from 'vitest';

import { handle } from '../../src/multistream/index.ts';
import { closeOf, turns } from '../support/events.ts';
import { readAll } from '../support/reading.ts';
import { HEADER, line, listenersOf, RawEnd } from './raw-end.ts';

test('the header leaves at once, and each line is answered', async () => {
  const end = new RawEnd();
  const handling = handle(end, ['/a', '/b']);
  expect(end.wrote).toBe(HEADER);
  end.say(HEADER + line('/c') + line('') + line('/a ') + line('/A') + line('/b'));
  expect(await handling).toEqual({ protocol: '/b', stream: end });
  expect(end.wrote).toBe(HEADER + line('na').repeat(4) + line('/b'));
});

test('ls is answered with a line of lines, and the proposal behind it is taken', async () => {
  const end = new RawEnd();
  end.say(HEADER + line('ls') + line('/b'));
  await handle(end, ['/a', '/b']);
  expect(end.wrote).toBe(`${HEADER}\x09${line('/a')}${line('/b')}\n${line('/b')}`);
});

test('a header in mid-conversation is answered: another select() may have begun', async () => {
  const end = new RawEnd();
  end.say(HEADER + line('/x') + HEADER + line('/a'));
  await handle(end, '/a');
  expect(end.wrote).toBe(HEADER + line('na') + HEADER + line('/a'));
});

test('a name is compared byte by byte', async () => {
  const end = new RawEnd();
  end.say(`${HEADER}\x05/\xc3\xa9 \n\x04/\xff\xfe\n\x05/\xef\xbf\xbd\n\x04/\xc3\xa9\n`);
  expect((await handle(end, ['/é', '/\u{fffd}\u{fffd}'])).protocol).toBe('/é');
});

describe('payload behind the proposal', () => {
  const all = `${HEADER}${line('/x')}${line('/a')}{"id":1}\nSSH-2.0`;
  const cuts = Array.from({ length: all.length + 1 }, (_, at) => at);

  test.each(cuts)('comes whole, with a border of chunks at byte %i', async (at) => {
    const end = new RawEnd();
    const handling = handle(end, '/a');
    end.say(all.slice(0, at));
    await turns(1);
    end.say(all.slice(at));
    end.bringEnd('FIN');
    expect(String(await readAll((await handling).stream))).toBe('{"id":1}\nSSH-2.0');
  });

  test.each([1, 2, 3, 5, 7])('comes whole in chunks of %i bytes', async (size) => {
    const end = new RawEnd();
    end.say(all, size);
    end.bringEnd('FIN');
    await handle(end, '/a');
    expect(String(await readAll(end))).toBe('{"id":1}\nSSH-2.0');
  });
});

describe('a failure', () => {
  async function failure(
    said: string,
    fin: boolean,
    options: Parameters<typeof handle>[2] = {},
  ): Promise<{ end: RawEnd; code: unknown; message: string; destroyed: boolean }> {
    const end = new RawEnd();
    const before = listenersOf(end);
    end.say(said);
    if (fin) end.bringEnd('FIN');
    const error = await handle(end, '/a', options).then(
      () => expect.unreachable(),
      (reason: unknown) => reason as Error & { code?: unknown },
    );
    const { destroyed } = end;
    if (destroyed) await closeOf(end);
    end.removeAllListeners('error');
    expect(listenersOf(end)).toEqual(before);
    end.destroy();
    return { end, code: error.code, message: error.message, destroyed };
  }

  test('is EPROTONOSUPPORT where the other end gives up, and names what it proposed', async () => {
    const proposals = ['/1', '/2\x1b', '/3', '/4', '/5', '/6'].map(line).join('');
    const { code, message, destroyed } = await failure(HEADER + proposals, true);
    expect({ code, destroyed }).toEqual({ code: 'EPROTONOSUPPORT', destroyed: false });
    expect(message).toContain('"/1", "/2?", "/3", "/4" and 2 more');
    expect((await failure(HEADER + line('ls'), true)).code).toBe('EPROTONOSUPPORT');
  });

  test('is EPROTONOSUPPORT after so many tries, each of them answered', async () => {
    const lines = [HEADER, line('/x'), line('ls'), line('/y')];
    const { end, code, message } = await failure(lines.join('') + line('/a'), false, {
      maxProposals: 3,
    });
    expect(code).toBe('EPROTONOSUPPORT');
    expect(message).toContain('3 tries');
    expect(end.wrote).toBe(`${HEADER}${line('na')}\x05${line('/a')}\n${line('na')}`);
  });

  test.each([
    ['at once', ''],
    ['within the header', HEADER.slice(0, 7)],
    ['behind the header', HEADER],
    ['within a proposal', HEADER + line('/x') + line('/a').slice(0, 2)],
  ])('is ECONNRESET where the other end ends %s', async (_, said) => {
    expect(await failure(said, true)).toMatchObject({
      code: 'ECONNRESET',
      message: expect.stringMatching(/the stream ended.* before (its header|a proposal)/) as string,
    });
  });

  test.each([
    [
      'HTTP',
      'GET / HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nUser-Agent: somebody\r\n\r\n',
      'EPROTO',
    ],
    ['a proposal without a header', line('/a'), 'EPROTO'],
    ['a line over the limit', `${HEADER}\x81\x08`, 'EMSGSIZE'],
  ])('by %s destroys the stream', async (_, said, code) => {
    expect(await failure(said, false)).toMatchObject({ code, destroyed: true });
  });

  test('is ETIMEDOUT in silence, whatever came before', async () => {
    for (const said of ['', HEADER, HEADER + line('/x')]) {
      const { code, destroyed } = await failure(said, false, { timeout: 20 });
      expect({ code, destroyed }).toEqual({ code: 'ETIMEDOUT', destroyed: false });
    }
  });

  test('is ERR_OUT_OF_RANGE for no tries at all', async () => {
    const end = new RawEnd();
    const handling = handle(end, '/a', { maxProposals: 0 });
    await expect(handling).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(end.writes).toBe(0);
    end.destroy();
  });
});

test('who reads no answers gets no more of them', async () => {
  const end = new RawEnd();
  const names = Array.from({ length: 200 }, (_, i) => `/${String(i).padStart(1000, '0')}`);
  end.hold();
  end.say(HEADER + line('ls').repeat(60));
  const handling = handle(end, names, { timeout: 1_000 });
  await turns(50);
  expect(end.writableLength).toBeLessThan(3 * 200 * 1003);
  end.destroy();
  await expect(handling).rejects.toMatchObject({ code: 'ECONNRESET' });
});
