import { describe, expect, onTestFinished, test } from 'vitest';

import { connect, createServer, type WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { meetRaw, ROLES, stopAfterTest } from '../support/pairs/meet.ts';
import { BINARY, CONTINUATION, frame, PING, PONG, TEXT } from '../support/peers/frames.ts';
import { rawClient } from '../support/peers/raw-peer.ts';
import { WRONG } from '../support/peers/wrong-frames.ts';
import { readAll, readExactly } from '../support/reading.ts';

/** Only where nobody is to answer. */
const SHORT = 100;

describe.each(ROLES)('a %s whose peer sends', (role) => {
  const options = { closeTimeout: SHORT, maxPayload: 10_000 };

  test.each(WRONG)('%s says so to both', async (_what, send, closeCode, code) => {
    const { adapter, peer } = await meetRaw(role, options);
    const recording = record(adapter);
    peer.send(BINARY, 'good');
    expect((await readExactly(adapter, 4)).toString()).toBe('good');
    adapter.resume();
    send(peer);
    expect(await peer.closeCode()).toBe(closeCode);
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ name: 'WsConnError', code });
    expect(recording.hadError).toBe(true);
  });

  test('frames masked the wrong way says so to both', async () => {
    const { adapter, peer } = await meetRaw(role, options);
    const recording = record(adapter.resume());
    peer.send(BINARY, 'x', { masked: role === 'client' });
    expect(await peer.closeCode()).toBe(1002);
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'EPROTO' });
  });

  test('half a frame and then the end of TCP is ECONNRESET', async () => {
    const { adapter, peer } = await meetRaw(role, options);
    const recording = record(adapter.resume());
    peer.send(BINARY, 'half', { claims: 8 });
    peer.socket.end();
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
  });

  test('fragments gets them as data, also with control frames between', async () => {
    const { adapter, peer } = await meetRaw(role, options);
    const received = readAll(adapter);
    peer.send(BINARY, 'one', { fin: false });
    peer.send(PING, 'between');
    peer.send(CONTINUATION, '', { fin: false });
    peer.send(PONG, 'unasked');
    peer.send(CONTINUATION, ' two', { fin: false });
    peer.send(CONTINUATION, ' three');
    expect((await peer.frame(PONG)).payload.toString()).toBe('between');
    peer.sendClose(1000);
    peer.socket.end();
    expect((await received).toString()).toBe('one two three');
  });

  test('a frame in single bytes gets it whole', async () => {
    const { adapter, peer } = await meetRaw(role, options);
    const bytes = frame(BINARY, Buffer.from('slow but whole'), { masked: role === 'server' });
    const received = readExactly(adapter, 14);
    for (const byte of bytes) {
      await new Promise<void>((resolve) => {
        peer.socket.write(Buffer.of(byte), () => {
          resolve();
        });
      });
    }
    expect((await received).toString()).toBe('slow but whole');
  });

  test('what was good before the bad frame is read', async () => {
    const { adapter, peer } = await meetRaw(role, options);
    const recording = record(adapter);
    const chunks: Buffer[] = [];
    adapter.on('data', (chunk: Buffer) => chunks.push(chunk));
    peer.send(BINARY, 'good');
    peer.send(TEXT, 'bad');
    await recording.closed;
    expect(Buffer.concat(chunks).toString()).toBe('good');
  });
});

test('what one peer sends does no harm to another connection of the same server', async () => {
  const accepted: WsConnAdapter[] = [];
  const server = createServer({ closeTimeout: SHORT, maxPayload: 10_000 }, (adapter) => {
    accepted.push(adapter);
    adapter.on('error', () => undefined).pipe(adapter);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  const { port } = server.address() as { port: number };
  const good = connect(`ws://127.0.0.1:${String(port)}`);
  stopAfterTest(good);
  await next(good, 'connect');
  for (const [, send] of WRONG) {
    const { peer } = await rawClient(port);
    onTestFinished(() => {
      peer.socket.destroy();
    });
    send(peer);
    await peer.closeCode();
    good.write('ping');
    expect((await readExactly(good, 4)).toString()).toBe('ping');
  }
  expect(accepted).toHaveLength(WRONG.length + 1);
});
