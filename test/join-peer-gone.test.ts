import net, { type AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createServer, join, type WsConnAdapter } from '../src/index.ts';
import { YamuxSession, type YamuxStream } from '../src/yamux/index.ts';
import { closeOf, next, record, turns } from './support/events.ts';
import { tcpPair } from './support/pairs/pairs.ts';
import { BINARY } from './support/peers/frames.ts';
import { rawClient } from './support/peers/raw-peer.ts';

/**
 * A gateway as in the README: each WebSocket leads to a TCP target, whose socket of the one
 * connection is given.
 */
async function gateway(options: { readonly readableHighWaterMark?: number } = {}) {
  const target = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await next(target, 'listening');
  let joined: Promise<void> | undefined;
  let adapter: WsConnAdapter | undefined;
  const server = createServer(options, (socket) => {
    adapter = socket;
    const port = (target.address() as AddressInfo).port;
    joined = join(socket, net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
    joined.catch(() => undefined);
  }).listen(0, '127.0.0.1');
  await next(server, 'listening');
  onTestFinished(async () => {
    await server.close();
    await new Promise((resolve) => target.close(resolve));
  });
  const [{ peer }, [far]] = await Promise.all([
    rawClient((server.address() as AddressInfo).port),
    next(target, 'connection') as Promise<[net.Socket]>,
  ]);
  far.on('error', () => undefined);
  onTestFinished(() => {
    far.destroy();
    peer.socket.destroy();
  });
  return { server, peer, far, joined: () => joined, adapter: () => adapter };
}

/** Writes until nobody is there: only who writes finds out. */
function writeOn(socket: net.Socket): void {
  if (socket.destroyed) return;
  socket.write('is anybody there?');
  setImmediate(writeOn, socket);
}

describe('a joined adapter whose peer has sent Close, which ends both directions', () => {
  test('ends the target that would go on for nobody, once it has got everything', async () => {
    const { server, peer, far, joined } = await gateway();
    const recording = record(far);
    let got = 0;
    far.on('data', (chunk: Buffer) => (got += chunk.length));
    peer.send(BINARY, Buffer.alloc(300_000));
    peer.sendClose(1000);
    peer.socket.end();
    await next(far, 'end');
    expect(got).toBe(300_000);
    // The target does not end: after some silence it is left, and what it says then is answered by
    // a reset.
    await expect(joined()).resolves.toBeUndefined();
    writeOn(far);
    await recording.closed;
    expect(server.connections).toBe(0);
  });

  test('reads on and throws away what the target says, so that no reset runs over what it has not read', async () => {
    const { peer, far, joined, adapter } = await gateway();
    const ANSWER = 2_000_000;
    let got = 0;
    far.on('data', (chunk: Buffer) => (got += chunk.length)).pause();
    peer.send(BINARY, Buffer.alloc(ANSWER / 2));
    peer.send(BINARY, Buffer.alloc(ANSWER / 2));
    peer.sendClose(1000);
    peer.socket.end();
    const { ws } = adapter() ?? {};
    if (ws && ws.readyState !== ws.CLOSED) await next(ws, 'close');
    // The target is slow to read, and talks meanwhile.
    for (let i = 0; i < 50; i++) {
      far.write(Buffer.alloc(10_000));
      await turns(5);
    }
    far.resume();
    await next(far, 'end');
    far.end();
    expect(got).toBe(ANSWER);
    await expect(joined()).resolves.toBeUndefined();
  });

  test('hands on what waited for a slow target first', async () => {
    const { peer, far, joined } = await gateway({ readableHighWaterMark: 1_000 });
    far.pause();
    const SIZE = 8_000_000;
    for (let sent = 0; sent < SIZE; sent += 100_000) peer.send(BINARY, Buffer.alloc(100_000));
    peer.sendClose(1000);
    peer.socket.end();
    let got = 0;
    far.on('data', (chunk: Buffer) => (got += chunk.length));
    setTimeout(() => far.resume(), 300);
    far.pause();
    await next(far, 'end');
    expect(got).toBe(SIZE);
    await expect(joined()).resolves.toBeUndefined();
  });

  test('tells of a failure as before where the Close says one', async () => {
    const { peer, far, joined } = await gateway();
    const recording = record(far.resume());
    peer.sendClose(1011, 'broken');
    peer.socket.end();
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    await expect(joined()).rejects.toMatchObject({ code: 'ECONNRESET', closeCode: 1011 });
  });
});

test('an adapter that is closed in order while its peer has ended and the target goes on does not leave the target behind', async () => {
  const { peer, far, joined, adapter } = await gateway();
  peer.send(BINARY);
  peer.sendClose(1000);
  const recording = record(far.resume());
  const ended = adapter()?.close();
  peer.socket.end();
  writeOn(far);
  expect(await ended).toBeNull();
  await recording.closed;
  await joined()?.catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });
});

test('a joined yamux stream that was ended, and whose session has gone in order, ends the other stream too', async () => {
  const transport = await tcpPair({ allowHalfOpen: true });
  const tunnel = await tcpPair({ allowHalfOpen: true });
  onTestFinished(async () => {
    await Promise.all([transport.stop(), tunnel.stop()]);
  });
  const client = new YamuxSession(transport.a, { role: 'client', allowHalfOpen: true });
  const server = new YamuxSession(transport.b, { role: 'server', allowHalfOpen: true });
  const opened = next(server, 'stream') as Promise<[YamuxStream]>;
  const mine = client.open();
  mine.end('all there is');
  const [stream] = await opened;
  const recording = record(tunnel.b.resume());
  const joined = join(stream, tunnel.a);
  await next(tunnel.b, 'end');
  const gone = closeOf(mine);
  await client.close();
  await gone;
  await expect(joined).resolves.toBeUndefined();
  writeOn(tunnel.b);
  await recording.closed;
  await server.close();
});
