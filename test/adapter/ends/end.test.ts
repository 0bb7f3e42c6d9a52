import { describe, expect, test } from 'vitest';

import { closeOf, next, record } from '../../support/events.ts';
import { meetAdapter, meetRaw, meetWs, ROLES } from '../../support/pairs/meet.ts';
import { BINARY, CLOSE, PING } from '../../support/peers/frames.ts';
import { readAll } from '../../support/reading.ts';

/** Only where nobody is to answer, or where the limit must not count. */
const SHORT = 100;
/** What the kernel takes of a connection that nobody reads, with room to spare. */
const IN_KERNEL = 100_000;

describe.each(ROLES)('end() of a %s', (role) => {
  describe('without half close', () => {
    test('sends what was written, then Close 1000, and reads on until the answer', async () => {
      const { adapter, peer } = await meetRaw(role);
      const recording = record(adapter);
      adapter.write('first, ');
      adapter.end('last');
      expect(await peer.closeCode()).toBe(1000);
      expect(peer.bytes.toString()).toBe('first, last');
      const received = readAll(adapter);
      peer.send(BINARY, 'was on its way');
      peer.sendClose(1000);
      peer.socket.end();
      expect((await received).toString()).toBe('was on its way');
      await recording.closed;
      expect(recording.names).toEqual(['finish', 'end', 'close']);
      expect(recording.hadError).toBe(false);
    });

    test('has no time limit: a peer may take longer than closeTimeout to read to the end', async () => {
      const { adapter, peer } = await meetRaw(role, { closeTimeout: SHORT });
      peer.socket.pause();
      const recording = record(adapter.resume());
      adapter.end(Buffer.alloc(IN_KERNEL));
      await new Promise((resolve) => setTimeout(resolve, 3 * SHORT));
      expect(recording.count('close')).toBe(0);
      peer.socket.resume();
      peer.sendClose(await peer.closeCode());
      expect(peer.byteCount).toBe(IN_KERNEL);
      peer.socket.end();
      await recording.closed;
      expect(recording.errors).toEqual([]);
    });

    test('gives ws no time limit of its own to cut a slow reader with', async () => {
      const { adapter, peer } = await meetAdapter(role);
      const thirtySeconds = 30_000;
      for (const { ws } of [adapter, peer]) {
        const limit = (ws as unknown as { readonly _closeTimeout: number })._closeTimeout;
        expect(limit).toBeGreaterThan(1_000 * thirtySeconds);
      }
    });

    test('is an end for a plain ws, with all that was written', async () => {
      const { adapter, peer } = await meetWs(role);
      const received: Buffer[] = [];
      peer.on('message', (data: Buffer) => received.push(data));
      const gone = next(peer, 'close');
      adapter.end('the last bytes');
      adapter.resume();
      expect((await gone)[0]).toBe(1000);
      expect(Buffer.concat(received).toString()).toBe('the last bytes');
      await closeOf(adapter);
    });

    test('takes an empty message of the peer for nothing', async () => {
      const { adapter, peer } = await meetRaw(role);
      const received = readAll(adapter);
      peer.send(BINARY);
      peer.send(BINARY, 'a');
      peer.send(BINARY);
      peer.send(BINARY, 'b');
      peer.sendClose(1000);
      peer.socket.end();
      expect((await received).toString()).toBe('ab');
      await closeOf(adapter);
    });

    test('is ECONNRESET when the peer cuts TCP instead of answering', async () => {
      const { adapter, peer } = await meetRaw(role);
      const recording = record(adapter.resume());
      adapter.end();
      await peer.closeCode();
      peer.socket.end();
      await recording.closed;
      expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
    });

    test('is an end when the peer ends TCP instead of answering, with tcpEndIsEof', async () => {
      const { adapter, peer } = await meetRaw(role, { tcpEndIsEof: true });
      const recording = record(adapter.resume());
      adapter.end();
      await peer.closeCode();
      peer.socket.end();
      await recording.closed;
      expect(recording.names).toEqual(['finish', 'end', 'close']);
    });
  });

  describe('with half close', () => {
    const options = { halfClose: true, allowHalfOpen: true };

    test('sends an empty message after the last byte, and no Close', async () => {
      const { adapter, peer } = await meetRaw(role, options);
      adapter.end('last');
      expect((await peer.frame(BINARY)).payload.toString()).toBe('last');
      expect((await peer.frame(BINARY)).payload).toHaveLength(0);
      const answer = next(adapter, 'data');
      peer.send(BINARY, 'an answer');
      expect(String((await answer)[0])).toBe('an answer');
      expect(peer.frames.filter(({ opcode }) => opcode === CLOSE)).toEqual([]);
    });

    test("takes the peer's empty message for the end of its direction, and goes on writing", async () => {
      const { adapter, peer } = await meetRaw(role, options);
      peer.send(BINARY, 'all there is');
      peer.send(BINARY);
      expect((await readAll(adapter)).toString()).toBe('all there is');
      expect(adapter.readyState).toBe('writeOnly');
      adapter.write('an answer');
      await peer.received(9);
    });

    test('closes with 1000 when both directions have ended, and waits for the answer', async () => {
      const { adapter, peer } = await meetRaw(role, options);
      const recording = record(adapter.resume());
      peer.send(BINARY);
      await next(adapter, 'end');
      adapter.end('bye');
      expect(await peer.closeCode()).toBe(1000);
      expect(recording.count('close')).toBe(0);
      expect(peer.socket.readableEnded).toBe(false);
      peer.sendClose(1000);
      expect(await peer.tcpEnd).toBe('end');
      peer.socket.end();
      await recording.closed;
      expect(recording.names).toEqual(['end', 'finish', 'close']);
    });

    test('waits for the answer however late it comes, for the peer may still be reading', async () => {
      const { adapter, peer } = await meetRaw(role, { ...options, closeTimeout: SHORT });
      const recording = record(adapter.resume());
      peer.send(BINARY);
      await next(adapter, 'end');
      adapter.end('bye');
      expect(await peer.closeCode()).toBe(1000);
      await new Promise((resolve) => setTimeout(resolve, 5 * SHORT));
      expect(recording.names).toEqual(['end', 'finish']);
      expect(peer.socket.readableEnded).toBe(false);
      peer.sendClose(1000);
      expect(await peer.tcpEnd).toBe('end');
      peer.socket.end();
      await recording.closed;
      expect(recording.names).toEqual(['end', 'finish', 'close']);
    });

    test('is done closeTimeout after close() when the peer does not answer, with ETIMEDOUT', async () => {
      const { adapter, peer } = await meetRaw(role, { ...options, closeTimeout: SHORT });
      const recording = record(adapter.resume());
      peer.send(BINARY);
      await next(adapter, 'end');
      adapter.end('bye');
      expect(await peer.closeCode()).toBe(1000);
      expect(await adapter.close()).toMatchObject({ code: 'ETIMEDOUT' });
      expect(recording.names).toEqual(['end', 'finish', 'error', 'close']);
      expect(adapter.errored).toBe(recording.errors[0]);
    });

    test('keeps what was not read yet when the closing handshake is over', async () => {
      const { adapter, peer } = await meetRaw(role, { ...options, readableHighWaterMark: 16 });
      const recording = record(adapter);
      peer.send(BINARY, Buffer.alloc(1_000, 'x'));
      peer.send(BINARY);
      adapter.end();
      adapter.read(0);
      peer.sendClose(await peer.closeCode());
      peer.socket.end();
      await peer.tcpEnd;
      expect((await readAll(adapter)).length).toBe(1_000);
      await recording.closed;
      expect(recording.errors).toEqual([]);
    });

    test('tells a second empty message from data: it means nothing, and a byte after the end is EPROTO', async () => {
      const { adapter, peer } = await meetRaw(role, options);
      const recording = record(adapter.resume());
      peer.send(BINARY);
      peer.send(BINARY);
      peer.send(PING, 'still there?');
      await peer.frame();
      expect(recording.names).toEqual(['end']);
      peer.send(BINARY, 'x');
      expect(await peer.closeCode()).toBe(1002);
      peer.sendClose(1002);
      peer.socket.end();
      await recording.closed;
      expect(recording.names).toEqual(['end', 'error', 'close']);
      expect(recording.errors[0]).toMatchObject({ code: 'EPROTO' });
    });

    test('ends both directions where the peer closes instead', async () => {
      const { adapter, peer } = await meetRaw(role, options);
      const recording = record(adapter.resume());
      adapter.end('last');
      await peer.received(4);
      peer.sendClose(1000);
      peer.socket.end();
      await recording.closed;
      expect(recording.names).toEqual(['finish', 'end', 'close']);
    });

    test('is ECONNRESET when TCP ends before the FIN of the peer', async () => {
      const { adapter, peer } = await meetRaw(role, options);
      const recording = record(adapter.resume());
      adapter.end('last');
      await peer.received(4);
      peer.socket.end();
      await recording.closed;
      expect(recording.names).toEqual(['finish', 'error', 'close']);
      expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    });
  });
});
