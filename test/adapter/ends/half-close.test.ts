import { describe, expect, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { next, record, turns } from '../../support/events.ts';
import { meetRaw, serve, stopAfterTest } from '../../support/pairs/meet.ts';
import { BINARY, CLOSE, PING, PONG } from '../../support/peers/frames.ts';
import { rawClient, type RawPeer, rawServer } from '../../support/peers/raw-peer.ts';
import { readAll } from '../../support/reading.ts';

const OFFER = { 'WsConn-Features': 'half-close' };
const SIGN = 'half-close';

/** A server's adapter whose client has offered half close by hand. */
async function offered() {
  const { port, accepted } = await serve({ allowHalfOpen: true });
  const { peer, head } = await rawClient(port, OFFER);
  expect(head).toContain('WsConn-Features: half-close');
  const adapter = await accepted;
  stopAfterTest(adapter);
  return { adapter, peer };
}

/** The opcodes of what the other side has sent so far. */
function opcodes(peer: RawPeer): number[] {
  return peer.frames.map(({ opcode }) => opcode);
}

describe('a client that has offered half close', () => {
  test('shows that it saw the answer before its data, in one segment with it', async () => {
    const server = await rawServer(OFFER);
    const adapter = connect(server.url);
    stopAfterTest(adapter);
    adapter.write('data');
    const peer = await server.peer;
    let chunks = 0;
    peer.socket.on('data', () => chunks++);
    await peer.received(4);
    const [sign, data] = peer.frames;
    expect([sign?.opcode, sign?.payload.toString()]).toEqual([PONG, SIGN]);
    expect([data?.opcode, data?.payload.toString()]).toEqual([BINARY, 'data']);
    expect(chunks).toBe(1);
    await server.stop();
  });

  test('shows it also when it has nothing to say', async () => {
    const server = await rawServer(OFFER);
    const adapter = connect(server.url);
    stopAfterTest(adapter);
    const peer = await server.peer;
    expect((await peer.frame()).payload.toString()).toBe(SIGN);
    await server.stop();
  });

  test('shows nothing to a server that did not answer, nor by hand', async () => {
    for (const [lines, halfClose] of [
      [{}, undefined],
      [OFFER, true],
    ] as const) {
      const server = await rawServer(lines);
      const adapter = connect(server.url, { halfClose });
      stopAfterTest(adapter);
      const peer = await server.peer;
      adapter.write('data');
      await peer.received(4);
      expect(opcodes(peer)).toEqual([BINARY]);
      adapter.resetAndDestroy();
      await server.stop();
    }
  });
});

describe('a server that has answered an offer', () => {
  test('ends its half where the sign came before the data', async () => {
    const { adapter, peer } = await offered();
    peer.send(PONG, SIGN);
    peer.send(BINARY, 'a question');
    await next(adapter, 'data');
    adapter.end('an answer');
    await peer.received(9);
    const fin = await peer.frame(BINARY).then(() => peer.frame(BINARY));
    expect(fin.payload).toHaveLength(0);
    await turns(3);
    expect(opcodes(peer)).not.toContain(CLOSE);
  });

  test.each([
    ['data', BINARY, 'a question'],
    ['another pong', PONG, 'something else'],
  ])('closes the WebSocket where %s came before the sign', async (_name, opcode, payload) => {
    const { adapter, peer } = await offered();
    peer.send(opcode, payload);
    // To know that the server has read it.
    peer.send(PING, 'read?');
    await peer.frame(PONG);
    adapter.end('an answer');
    expect(await peer.closeCode()).toBe(1000);
    expect(peer.bytes.toString()).toBe('an answer');
  });

  test('asks by a ping when it ends before it knows, and closes the WebSocket when the pong comes without the sign', async () => {
    const { adapter, peer } = await offered();
    adapter.end('an answer');
    const ping = await peer.frame(PING);
    await turns(5);
    expect(opcodes(peer)).toEqual([BINARY, PING]);
    peer.send(PONG, ping.payload);
    expect(await peer.closeCode()).toBe(1000);
    expect(peer.frames.filter(({ opcode }) => opcode === BINARY)).toHaveLength(1);
  });

  test('asks by a ping when it ends before it knows, and ends its half when the sign comes before the pong', async () => {
    const { adapter, peer } = await offered();
    adapter.end('an answer');
    const ping = await peer.frame(PING);
    peer.send(PONG, SIGN);
    peer.send(PONG, ping.payload);
    expect((await peer.frame(BINARY)).payload).toHaveLength(0);
    const received = readAll(adapter);
    peer.send(BINARY, 'a late question');
    peer.send(BINARY);
    expect((await received).toString()).toBe('a late question');
    expect(await peer.closeCode()).toBe(1000);
  });

  test('takes an empty message for the FIN and for the sign, whatever came before', async () => {
    const { adapter, peer } = await offered();
    const received = readAll(adapter);
    peer.send(BINARY, 'a hop has swallowed the pong');
    peer.send(BINARY);
    expect((await received).toString()).toBe('a hop has swallowed the pong');
    expect(adapter.readyState).toBe('writeOnly');
    adapter.end('an answer');
    await peer.received(9);
    expect((await peer.frame(BINARY).then(() => peer.frame(BINARY))).payload).toHaveLength(0);
    expect(await peer.closeCode()).toBe(1000);
  });

  test('does not wait for the pong once close() is called, nor when the peer closes', async () => {
    for (const end of ['close()', 'Close'] as const) {
      const { adapter, peer } = await offered();
      const recording = record(adapter.resume());
      adapter.end('an answer');
      await peer.frame(PING);
      const closing = end === 'close()' ? adapter.close(3000, 'enough') : null;
      if (end === 'close()') expect(await peer.closeCode()).toBe(3000);
      peer.sendClose(end === 'close()' ? 3000 : 1000);
      peer.socket.end();
      expect(await closing).toBeNull();
      await recording.closed;
      expect(recording.errors).toEqual([]);
    }
  });
});

test('an empty message means nothing without an offer', async () => {
  const { adapter, peer } = await meetRaw('server');
  const recording = record(adapter.resume());
  peer.send(BINARY);
  peer.send(PING, 'read?');
  await peer.frame(PONG);
  expect(recording.names).toEqual([]);
});

test('half close by hand needs no sign', async () => {
  const { adapter, peer } = await meetRaw('server', { halfClose: true, allowHalfOpen: true });
  adapter.end('first');
  await peer.received(5);
  expect((await peer.frame(BINARY).then(() => peer.frame(BINARY))).payload).toHaveLength(0);
  expect(opcodes(peer)).not.toContain(PING);
});
