/** How select() fails, and that it then leaves the stream alone, or destroys it. */
import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { select } from '../../src/multistream/index.ts';
import { closeOf } from '../support/events.ts';
import { HEADER, line, listenersOf, RawEnd } from './raw-end.ts';

describe('a failure', () => {
  async function failure(
    act: (end: RawEnd) => unknown,
    options: Parameters<typeof select>[2] = {},
    protocols = ['/a'],
  ): Promise<{ end: RawEnd; error: Error & { code?: string }; wasDestroyed: boolean }> {
    const end = new RawEnd();
    const before = listenersOf(end);
    const selecting = select(end, protocols, options);
    selecting.catch(() => undefined);
    await act(end);
    const error = await selecting.then(
      () => expect.unreachable(),
      (reason: unknown) => reason as Error & { code?: string },
    );
    const wasDestroyed = end.destroyed;
    if (wasDestroyed) await closeOf(end);
    end.removeAllListeners('error');
    expect(listenersOf(end)).toEqual(before);
    return { end, error, wasDestroyed };
  }

  test('is EPROTONOSUPPORT where all were refused, and names them', async () => {
    const { error, wasDestroyed, end } = await failure(
      (one) => {
        one.say(HEADER + line('na') + line('na'));
      },
      {},
      ['/a', '/b'],
    );
    expect(error.code).toBe('EPROTONOSUPPORT');
    expect(error.message).toContain('"/a", "/b"');
    expect(wasDestroyed).toBe(false);
    end.destroy();
  });

  test('says what was lost where first bytes had left', async () => {
    const { error, end } = await failure(
      (one) => {
        one.say(HEADER + line('na'));
      },
      { firstBytes: 'payload' },
    );
    expect(error.code).toBe('EPROTONOSUPPORT');
    expect(error.message).toContain('7 bytes of payload');
    end.destroy();
  });

  test.each([
    ['a header of another version', line('/multistream/2.0.0'), 'EPROTO'],
    ['an answer without a header', line('/a'), 'EPROTO'],
    ['an answer to something else', HEADER + line('/b'), 'EPROTO'],
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n'.repeat(8), 'EPROTO'],
    ['a line over the limit', `${HEADER}\x81\x08`, 'EMSGSIZE'],
    ['a length that never ends', '\x80'.repeat(100), 'EMSGSIZE'],
  ])('by %s destroys the stream, and needs no listener of errors', async (_, said, code) => {
    const { end, error, wasDestroyed } = await failure((one) => {
      one.say(said);
    });
    expect(error.code).toBe(code);
    expect(wasDestroyed).toBe(true);
    expect(end.errored).toBe(error);
  });

  test("of the other end's is told to the listeners of the stream too", async () => {
    const errors: unknown[] = [];
    const end = new RawEnd();
    end.on('error', (error) => errors.push(error));
    end.say('\0');
    const selecting = select(end, '/a');
    await expect(selecting).rejects.toMatchObject({ code: 'EPROTO' });
    await closeOf(end);
    await selecting.catch((error: unknown) => {
      expect(errors).toEqual([error]);
    });
  });

  test('is ETIMEDOUT where nothing comes, and where something comes for ever', async () => {
    const { error, wasDestroyed, end } = await failure(() => undefined, { timeout: 20 });
    expect(error.code).toBe('ETIMEDOUT');
    expect(error.message).toContain('the answer to the proposal "/a" did not come within 20 ms');
    expect(wasDestroyed).toBe(false);
    end.destroy();

    const slow = await failure(
      (one) => {
        one.say(HEADER.slice(0, 5));
      },
      { timeout: 20 },
    );
    expect(slow.error.code).toBe('ETIMEDOUT');
    slow.end.destroy();
  });

  test.each([
    ['before the header', ''],
    ['within a line', HEADER.slice(0, 4)],
    ['before the answer', HEADER],
  ])('is ECONNRESET where the other end ends %s', async (_, said) => {
    const { error } = await failure((one) => {
      one.say(said);
      one.bringEnd('FIN');
    });
    expect(error.code).toBe('ECONNRESET');
    expect(error.message).toMatch(/ended.* before the answer to the proposal "\/a"/);
  });

  test('is ECONNRESET where the stream fails, with its error as the cause', async () => {
    const { error } = await failure((one) => {
      one.bringEnd('reset');
    });
    expect(error).toMatchObject({ code: 'ECONNRESET', cause: { message: 'read ECONNRESET' } });
  });

  test('is ECONNRESET where somebody destroys the stream', async () => {
    const { error } = await failure((one) => one.destroy());
    expect(error.code).toBe('ECONNRESET');
    expect(error.cause).toBeUndefined();
  });

  test('is an AbortError where the signal fires, and the stream stays', async () => {
    const abort = new AbortController();
    const { error, wasDestroyed, end } = await failure(
      () => {
        abort.abort('no more');
      },
      { signal: abort.signal },
    );
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'no more' });
    expect(wasDestroyed).toBe(false);
    end.destroy();
  });
});

describe('nothing is written', () => {
  async function refused(end: RawEnd, ...rest: unknown[]): Promise<unknown> {
    const before = listenersOf(end);
    const error: unknown = await (
      select as (stream: unknown, ...args: unknown[]) => Promise<unknown>
    )(end, ...rest).then(
      () => expect.unreachable(),
      (reason: unknown) => reason,
    );
    expect(end.writes).toBe(0);
    expect(listenersOf(end)).toEqual(before);
    end.destroy();
    return error;
  }

  test.each([
    ['no protocol', [[]], 'ERR_INVALID_ARG_VALUE'],
    ['undefined', [], 'ERR_INVALID_ARG_TYPE'],
    ['a number', [[1]], 'ERR_INVALID_ARG_TYPE'],
    ['an empty name', [['/a', '']], 'ERR_INVALID_ARG_VALUE'],
    ['a name with a newline', ['/a\n'], 'ERR_INVALID_ARG_VALUE'],
    ['na', ['na'], 'ERR_INVALID_ARG_VALUE'],
    ['ls', ['ls'], 'ERR_INVALID_ARG_VALUE'],
    ['the header', ['/multistream/1.0.0'], 'ERR_INVALID_ARG_VALUE'],
    ['a name over the limit', ['é'.repeat(512)], 'ERR_OUT_OF_RANGE'],
    ['options that are none', ['/a', null], 'ERR_INVALID_ARG_TYPE'],
    ['a time limit of 0', ['/a', { timeout: 0 }], 'ERR_OUT_OF_RANGE'],
    ['a signal that is none', ['/a', { signal: {} }], 'ERR_INVALID_ARG_TYPE'],
    ['first bytes that are none', ['/a', { firstBytes: 1 }], 'ERR_INVALID_ARG_TYPE'],
    ['first bytes for two', [['/a', '/b'], { firstBytes: 'x' }], 'ERR_INVALID_ARG_VALUE'],
  ])('for %s', async (_, args, code) => {
    const error = await refused(new RawEnd(), ...args);
    expect(error).toMatchObject({ code });
    expect(error).toBeInstanceOf(code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError);
  });

  test.each([
    ["that has a 'data' listener", (end: RawEnd) => end.on('data', () => undefined)],
    ["that has a 'readable' listener", (end: RawEnd) => end.on('readable', () => undefined)],
    ['that flows', (end: RawEnd) => end.resume()],
    ['that decodes', (end: RawEnd) => end.setEncoding('utf8')],
    ['that was ended', (end: RawEnd) => end.end()],
  ])('to a stream %s', async (_, act) => {
    const end = new RawEnd();
    act(end);
    expect(await refused(end, '/a')).toMatchObject({ code: 'ERR_INVALID_STATE' });
  });

  test('to a stream that is over', async () => {
    const gone = new RawEnd().destroy();
    expect(await refused(gone, '/a')).toMatchObject({ code: 'ECONNRESET' });
    const cause = new Error('cut');
    const failed = new RawEnd();
    failed.on('error', () => undefined).destroy(cause);
    expect(await refused(failed, '/a')).toMatchObject({ code: 'ECONNRESET', cause });
    const ended = new RawEnd();
    ended.bringEnd('FIN');
    await once(ended.resume(), 'end');
    ended.pause();
    expect(await refused(ended, '/a')).toMatchObject({ code: 'ECONNRESET' });
    // As a socket does by itself without allowHalfOpen: that is not the caller's fault.
    const over = new RawEnd();
    over.end();
    await once(over.resume(), 'close');
    over.pause();
    expect(await refused(over, '/a')).toMatchObject({ code: 'ECONNRESET' });
  });

  test('to what is no stream of bytes', async () => {
    await expect(select({} as RawEnd, '/a')).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
    const { Duplex } = await import('node:stream');
    const objects = new Duplex({ objectMode: true, read: () => undefined });
    await expect(select(objects, '/a')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });

  test('when the signal has fired already', async () => {
    const error = await refused(new RawEnd(), '/a', { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ name: 'AbortError' });
  });
});
