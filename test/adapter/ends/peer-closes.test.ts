import { describe, expect, test } from 'vitest';

import { record } from '../../support/events.ts';
import { meetRaw, meetWs, ROLES } from '../../support/pairs/meet.ts';
import { BINARY } from '../../support/peers/frames.ts';
import { readAll, readExactly } from '../../support/reading.ts';

/** Far below what the tests wait for otherwise: only where nobody is to answer. */
const SHORT = 100;
const DATA = Buffer.from('the last bytes');

describe.each(ROLES)('the end that the peer of a %s decides', (role) => {
  describe.each([1000, undefined])('Close %s', (code) => {
    test.each([{ halfClose: false }, { halfClose: true }])(
      'is an end after the last byte with %o',
      async (half) => {
        const { adapter, peer } = await meetRaw(role, half);
        const recording = record(adapter);
        peer.send(BINARY, DATA);
        peer.sendClose(code, code === undefined ? undefined : 'bye');
        const answer = peer.closeCode();
        const received = readAll(adapter);
        expect(await answer).toBe(code ?? 1005);
        peer.socket.end();
        expect(await received).toEqual(DATA);
        await recording.closed;
        expect(recording.errors).toEqual([]);
        expect(recording.names).toEqual(['end', 'finish', 'close']);
        expect(recording.hadError).toBe(false);
        expect(adapter.errored).toBeNull();
      },
    );

    test('is an end with a plain ws as the peer', async () => {
      const { adapter, peer } = await meetWs(role);
      const recording = record(adapter);
      peer.send(DATA);
      peer.close(code);
      expect(await readAll(adapter)).toEqual(DATA);
      await recording.closed;
      expect(recording.errors).toEqual([]);
    });
  });

  test('an end leaves the writable side open with allowHalfOpen, though nothing can be sent any more', async () => {
    const { adapter, peer } = await meetWs(role, { allowHalfOpen: true });
    const recording = record(adapter);
    peer.close(1000);
    await readAll(adapter);
    expect(adapter.writableEnded).toBe(false);
    expect(recording.names).toEqual(['end']);
    const failed = new Promise((resolve) => adapter.write('too late', resolve));
    expect(await failed).toMatchObject({ code: 'EPIPE' });
    await recording.closed;
    expect(recording.errors).toHaveLength(1);
    expect(recording.errors[0]).toMatchObject({ code: 'EPIPE' });
    expect(recording.hadError).toBe(true);
  });

  test.each([1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4999])(
    'Close %i is ECONNRESET and tells the code and the reason',
    async (code) => {
      const { adapter, peer } = await meetWs(role);
      const recording = record(adapter.resume());
      peer.close(code, 'not today');
      await recording.closed;
      expect(recording.names).toEqual(['error', 'close']);
      expect(recording.errors[0]).toMatchObject({
        name: 'WsConnError',
        code: 'ECONNRESET',
        closeCode: code,
        closeReason: 'not today',
      });
      expect(adapter.errored).toBe(recording.errors[0]);
      expect(recording.hadError).toBe(true);
    },
  );

  test('a TCP end without a Close frame is ECONNRESET', async () => {
    const { adapter, peer } = await meetRaw(role);
    const recording = record(adapter.resume());
    peer.send(BINARY, DATA);
    peer.socket.end();
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
    expect(adapter.bytesRead).toBe(DATA.length);
  });

  test('a TCP end is an end with tcpEndIsEof', async () => {
    const { adapter, peer } = await meetRaw(role, { tcpEndIsEof: true });
    const recording = record(adapter);
    peer.send(BINARY, DATA);
    peer.socket.end();
    expect(await readAll(adapter)).toEqual(DATA);
    await recording.closed;
    expect(recording.errors).toEqual([]);
    expect(recording.names).toEqual(['end', 'finish', 'close']);
  });

  test.each([{ tcpEndIsEof: false }, { tcpEndIsEof: true }])(
    'a TCP reset is ECONNRESET with %o',
    async (options) => {
      const { adapter, peer } = await meetRaw(role, options);
      const recording = record(adapter.resume());
      peer.send(BINARY, DATA);
      await readBytes(adapter, DATA.length);
      peer.socket.resetAndDestroy();
      await recording.closed;
      expect(recording.names).toEqual(['error', 'close']);
      expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
      expect(recording.errors[0]?.cause).toMatchObject({ code: 'ECONNRESET' });
    },
  );

  test.each([{ halfClose: false }, { halfClose: true }])(
    'bytes that the peer did not take before its Close are EPIPE with %o',
    async (half) => {
      const { adapter, peer } = await meetRaw(role, { ...half, closeTimeout: SHORT });
      peer.socket.pause();
      const recording = record(adapter.resume());
      adapter.write(Buffer.alloc(32 * 1024 * 1024));
      peer.sendClose(1000);
      peer.socket.end();
      await recording.closed;
      expect(recording.errors).toHaveLength(1);
      expect(recording.errors[0]).toMatchObject({ code: 'EPIPE', closeCode: 1000 });
    },
  );

  test('a peer that half-ends TCP while bytes are queued gets what had left, and the error is ECONNRESET', async () => {
    const { adapter, peer } = await meetRaw(role);
    peer.socket.pause();
    const recording = record(adapter.resume());
    adapter.write(Buffer.alloc(32 * 1024 * 1024));
    peer.socket.end();
    peer.socket.resume();
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(recording.errors[0]?.message).toContain('written bytes were not all sent');
  });

  test('a peer that half-ends TCP while bytes are queued is EPIPE with tcpEndIsEof', async () => {
    const { adapter, peer } = await meetRaw(role, { tcpEndIsEof: true, closeTimeout: SHORT });
    peer.socket.pause();
    const recording = record(adapter.resume());
    adapter.write(Buffer.alloc(32 * 1024 * 1024));
    peer.socket.end();
    await recording.closed;
    expect(recording.errors).toHaveLength(1);
    expect(recording.errors[0]).toMatchObject({ code: 'EPIPE' });
  });

  test('a peer that does the closing handshake but never ends TCP is waited for no longer than closeTimeout', async () => {
    const { adapter, peer } = await meetRaw(role, { closeTimeout: SHORT });
    const recording = record(adapter.resume());
    peer.sendClose(1000);
    expect(await peer.closeCode()).toBe(1000);
    await recording.closed;
    expect(recording.errors).toEqual([]);
    expect(recording.names).toEqual(['end', 'finish', 'close']);
  });

  test('what came before the Close is read by a slow reader, however long it takes', async () => {
    const { adapter, peer } = await meetWs(role, {
      closeTimeout: SHORT,
      readableHighWaterMark: 16,
    });
    const recording = record(adapter);
    const bytes = Buffer.alloc(200_000, 'x');
    for (let i = 0; i < bytes.length; i += 1_000) peer.send(bytes.subarray(i, i + 1_000));
    peer.close(1000);
    let got = 0;
    while (got < bytes.length) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      got += (await readExactly(adapter, 1_000)).length;
    }
    await readAll(adapter);
    await recording.closed;
    expect(recording.errors).toEqual([]);
  });
});

async function readBytes(
  adapter: { readonly bytesRead: number; once(name: 'data', l: () => void): unknown },
  n: number,
): Promise<void> {
  while (adapter.bytesRead < n)
    await new Promise<void>((resolve) =>
      adapter.once('data', () => {
        resolve();
      }),
    );
}
