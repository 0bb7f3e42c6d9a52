import { createHash } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { describe, expect, onTestFinished, test } from 'vitest';

import { sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, createServer, type WsConnAdapter } from '../../src/index.ts';
import { type YamuxSessionOptions, YamuxSession, type YamuxStream } from '../../src/yamux/index.ts';
import {
  FrameDecoder,
  type FrameHeader,
  FrameType,
  HEADER_SIZE,
} from '../../src/yamux/wire/frame.ts';
import { closeOf, next } from '../support/events.ts';
import { startLink } from '../support/links/start-link.ts';
import { readAll, readExactly } from '../support/reading.ts';
import { GoBuild, GoProgram } from './go-program.ts';
import { serve, source } from './yamux-serve.ts';

type Kind = 'hashicorp/yamux' | 'libp2p/go-yamux';
type Wire = 'TCP' | 'a gorilla WebSocket';
type Role = 'client' | 'server';

const MIB = 1024 * 1024;

interface Connection {
  readonly session: YamuxSession;
  readonly go: GoProgram;
  /** Headers of the frames that the Go side has sent so far. */
  readonly headers: FrameHeader[];
  readonly transport: Duplex;
}

const program = new GoBuild('yamux-peer');

async function accept(wire: Wire, dial: (address: string) => void): Promise<Duplex> {
  const server = wire === 'TCP' ? net.createServer() : createServer();
  onTestFinished(async () => {
    await new Promise<void>(
      (resolve) =>
        void server.close(() => {
          resolve();
        }),
    );
  });
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  const address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  dial(wire === 'TCP' ? address : `ws://${address}`);
  const [transport] = (await next(server, 'connection')) as [Duplex];
  return transport;
}

/**
 * Connects a session of the role with a Go program of the other, which has the kind of yamux. The
 * client dials.
 */
async function connectTo(
  kind: Kind,
  wire: Wire,
  role: Role,
  extraFlags: readonly string[] = [],
  options: Partial<YamuxSessionOptions> = {},
): Promise<Connection> {
  const flags = [`-kind=${kind === 'hashicorp/yamux' ? 'hashicorp' : 'libp2p'}`, ...extraFlags];
  let go: GoProgram | undefined;
  let transport: Duplex;
  if (role === 'server') {
    transport = await accept(wire, (address) => {
      go = new GoProgram(program.file, ['-role=client', `-dial=${address}`, ...flags]);
    });
  } else {
    go = new GoProgram(program.file, [
      '-role=server',
      ...(wire === 'TCP' ? [] : ['-ws']),
      ...flags,
    ]);
    const port = Number((await go.line('listening'))['port']);
    transport =
      wire === 'TCP' ? net.connect(port, '127.0.0.1') : connect(`ws://127.0.0.1:${String(port)}`);
    await next(transport, 'connect');
  }
  const headers: FrameHeader[] = [];
  const decoder = new FrameDecoder({
    onHeader: (header) => headers.push(header),
    onBody: () => undefined,
  });
  transport.on('data', (chunk: Buffer) => {
    decoder.decode(chunk);
  });
  const session = new YamuxSession(transport, { role, ...options });
  session.on('stream', serve);
  const program_ = go;
  if (!program_) throw new Error('the program was not started');
  onTestFinished(async () => {
    // Go never answers a Close frame once its program is gone, which is an error of the transport.
    const closed = session.close();
    await program_.kill();
    await closed;
    await closeOf(transport);
  });
  return { session, go: program_, headers, transport };
}

function openWith(session: YamuxSession, command: string): YamuxStream {
  const stream = session.open({ allowHalfOpen: true });
  stream.write(`${command}\n`);
  return stream;
}

program.describe('yamux of Go', () => {
  const sides = (['hashicorp/yamux', 'libp2p/go-yamux'] as const).flatMap((kind) =>
    (['TCP', 'a gorilla WebSocket'] as const).flatMap((wire) =>
      (['client', 'server'] as const).map((role) => ({ kind, wire, role })),
    ),
  );
  describe.each(sides)('$kind over $wire, with this side as the $role', ({ kind, wire, role }) => {
    const isHashicorp = kind === 'hashicorp/yamux';

    test('takes 1000 streams and gives back what they carry', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const answers = Array.from({ length: 1000 }, (_, i) => {
        const stream = openWith(session, 'echo');
        stream.end(`stream ${String(i)}`);
        return readAll(stream).then(String);
      });
      expect(await Promise.all(answers)).toEqual(
        Array.from({ length: 1000 }, (_, i) => `stream ${String(i)}`),
      );
      expect(await go.ask('streams')).toMatchObject({ count: 0 });
      expect(session.numStreams).toBe(0);
    });

    test('opens 1000 streams and gets back what they carry', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      expect(await go.ask('echo 1000 3000')).toMatchObject({ whole: 1000, error: null });
      expect(session.numStreams).toBe(0);
    });

    test('takes 64 MiB whole, and answers after our end', async () => {
      const { session } = await connectTo(kind, wire, role);
      const stream = openWith(session, 'sum');
      const hash = createHash('sha256');
      const answer = readAll(stream);
      const block = Buffer.alloc(100_000, 'b');
      let left = 64 * MIB;
      for (; left > 0; left -= block.length) {
        const part = block.subarray(0, left);
        hash.update(part);
        if (!stream.write(part)) await next(stream, 'drain');
      }
      stream.end();
      expect(String(await answer)).toBe(`${String(64 * MIB)} ${hash.digest('hex')}`);
    });

    test('sends 64 MiB whole, in frames of its whole window where it is hashicorp', async () => {
      const { session, headers } = await connectTo(kind, wire, role);
      const stream = openWith(session, `source ${String(64 * MIB)} ${String(MIB)}`);
      const hash = createHash('sha256');
      const tail: Buffer[] = [];
      let left = 64 * MIB;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        hash.update(chunk.subarray(0, left));
        tail.push(chunk.subarray(left));
        left = Math.max(0, left - chunk.length);
      }
      stream.end();
      expect(hash.digest('hex')).toBe(Buffer.concat(tail).toString('hex'));
      const longest = headers
        .filter(({ type }) => type === FrameType.data)
        .reduce((most, { length }) => Math.max(most, length), 0);
      if (isHashicorp) expect(longest).toBeGreaterThanOrEqual(262_144);
      else expect(longest).toBeLessThanOrEqual(65_536);
    });

    test('sends and takes 64 MiB on streams that it opens', async () => {
      const { go } = await connectTo(kind, wire, role);
      expect(await go.ask(`sum ${String(64 * MIB)} 262144`)).toMatchObject({
        same: true,
        error: null,
      });
      expect(await go.ask(`source ${String(64 * MIB)}`)).toMatchObject({ same: true, error: null });
    });

    test('reads on after its own end, and after ours', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      // Its echo client ends its half before it reads; ours here does the same.
      expect(await go.ask('echo 1 200000')).toMatchObject({ whole: 1 });
      const stream = openWith(session, 'leave');
      expect(await readAll(stream)).toHaveLength(0);
      expect(stream.readyState).toBe('writeOnly');
      await source(stream, 100_000);
      stream.end();
      await closeOf(stream);
      expect(stream.errored).toBeNull();
    });

    test('sees our reset', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const stream = openWith(session, 'report');
      await go.line('reading');
      stream.resetAndDestroy();
      const error = isHashicorp ? 'connection reset' : 'stream reset by remote, error code: 0';
      expect(await go.line('report')).toMatchObject({ error });
      expect(session.numStreams).toBe(0);
    });

    test('resets a stream, with the largest error code if it has one, and we see ECONNRESET', async () => {
      const { session } = await connectTo(kind, wire, role, ['-close-timeout=100ms']);
      const stream = openWith(
        session,
        isHashicorp ? 'leave' : `reset ${String(2 ** 32 - 1)}`,
      ).resume();
      const [error] = await next(stream, 'error');
      expect(error).toMatchObject({ code: 'ECONNRESET' });
      expect(session.numStreams).toBe(0);
      expect(await session.ping()).toBeGreaterThan(0);
    });

    test('says go away: open streams go on, new ones are not opened', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const stream = openWith(session, 'echo');
      stream.write('first');
      expect(String(await readExactly(stream, 5))).toBe('first');
      const gone = next(session, 'goaway');
      await go.ask('goaway');
      expect(await gone).toEqual([0]);
      expect(() => session.open()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
      stream.end('still here');
      expect(String(await readAll(stream))).toBe('still here');
    });

    test.runIf(isHashicorp)(
      'hears our go away: it opens no streams, and open ones go on',
      async () => {
        const { session, go } = await connectTo(kind, wire, role);
        // The Go side may say that it has opened a stream before the SYN is here.
        const opened = next(session, 'stream');
        expect(await go.ask('hold')).toMatchObject({ error: null });
        await opened;
        session.goAway();
        await session.ping();
        expect(await go.ask('echo 1 10')).toMatchObject({
          whole: 0,
          error: 'remote end is not accepting connections',
        });
        expect(session.numStreams).toBe(1);
      },
    );

    test.skipIf(isHashicorp)('ends its session when it hears our go away', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      session.on('error', () => undefined);
      const closed = next(session, 'close');
      session.goAway();
      expect(await go.line('ended')).toMatchObject({
        error: expect.stringContaining('go away') as unknown,
      });
      await closed;
    });

    test('gets all that was written before our close(), for it hears our go away behind that', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const stream = openWith(session, 'report');
      await go.line('reading');
      stream.write(Buffer.alloc(4 * MIB));
      expect(await session.close()).toBeNull();
      expect(await go.line('report')).toMatchObject({ error: null, bytes: 4 * MIB });
    });

    test('answers our ping, and gets an answer to its own', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      expect(await session.ping()).toBeGreaterThan(0);
      expect(await go.ask('ping')).toMatchObject({ error: null });
    });

    test('takes more than 256 KiB unread when its window is larger', async () => {
      const { session } = await connectTo(kind, wire, role, [`-window=${String(4 * MIB)}`]);
      const stream = openWith(session, 'stall');
      await new Promise((resolve) => stream.write(Buffer.alloc(3 * MIB), resolve));
      expect(stream.writableLength).toBe(0);
      stream.resetAndDestroy();
    });

    test('keeps the session alive with pings of its own', async () => {
      const { session, headers, transport } = await connectTo(
        kind,
        wire,
        role,
        ['-keepalive=20ms'],
        {
          keepalive: false,
        },
      );
      while (
        headers.filter(({ type, flags }) => type === FrameType.ping && flags === 1).length < 5
      ) {
        await next(transport, 'data');
      }
      expect(await session.ping()).toBeGreaterThan(0);
    });

    test('closes its session, which cuts our streams', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const stream = openWith(session, 'stall');
      const [failed, sessionFailed] = [next(stream, 'error'), next(session, 'error')];
      await session.ping();
      await go.ask('close');
      expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
      expect((await sessionFailed)[0]).toMatchObject({ code: 'ECONNRESET' });
      expect(await session.close()).toMatchObject({ code: 'ECONNRESET' });
    });

    test('sees its streams end when we close the session', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const opened = next(session, 'stream');
      await go.ask('hold');
      await opened;
      expect(await session.close()).toBeNull();
      expect(await go.line('released')).toMatchObject({ error: null });
    });

    test('is killed: every stream and the session fail', async () => {
      const { session, go } = await connectTo(kind, wire, role);
      const streams = Array.from({ length: 10 }, () => openWith(session, 'echo'));
      for (const stream of streams) stream.write('hello');
      await Promise.all(streams.map((stream) => readExactly(stream, 5)));
      const failed = streams.map((stream) => next(stream, 'error'));
      session.on('error', () => undefined);
      const closed = next(session, 'close');
      await go.kill();
      for (const [error] of await Promise.all(failed))
        expect(error).toMatchObject({ code: 'ECONNRESET' });
      await closed;
      expect(session.numStreams).toBe(0);
    });
  });

  test('writes 4 MiB at once over a long way and a WebSocket with all defaults, and no message is too large', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => server.close());
    await next(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const link = await startLink(port, { delay: 20, buffer: 16 * MIB });
    const connection = next(server, 'connection');
    const go = new GoProgram(program.file, [
      '-role=client',
      `-dial=ws://127.0.0.1:${String(link.port)}`,
    ]);
    const [adapter] = (await connection) as [WsConnAdapter];
    const headers: FrameHeader[] = [];
    const decoder = new FrameDecoder({
      onHeader: (header) => headers.push(header),
      onBody: () => undefined,
    });
    adapter.on('data', (chunk: Buffer) => {
      decoder.decode(chunk);
    });
    const session = new YamuxSession(adapter, { role: 'server' });
    onTestFinished(async () => {
      const closed = session.close();
      await go.kill();
      await closed;
      await closeOf(adapter);
    });
    const stream = openWith(session, `source ${String(24 * MIB)} ${String(4 * MIB)}`);
    const bytes = await readAll(stream);
    stream.end();
    expect(sha256(bytes.subarray(0, 24 * MIB))).toBe(bytes.subarray(24 * MIB).toString('hex'));
    const longest = Math.max(
      ...headers.map(({ type, length }) => (type === FrameType.data ? length : 0)),
    );
    expect(longest + HEADER_SIZE).toBeLessThanOrEqual(MIB);
    // The window has grown as far as it may.
    expect(longest).toBeGreaterThan(MIB / 2);
  });

  test('the bytes of the source are those that the program made', async () => {
    const { session } = await connectTo('hashicorp/yamux', 'TCP', 'client');
    const stream = openWith(session, 'source 100000 1000');
    const bytes = await readAll(stream);
    stream.end();
    expect(sha256(bytes.subarray(0, 100_000))).toBe(bytes.subarray(100_000).toString('hex'));
  });
});
