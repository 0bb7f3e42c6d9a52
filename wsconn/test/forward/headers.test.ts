/** What `forward --mux` sends before the server has answered, and what it makes of old servers. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { connect, createServer, type WsConnAdapter } from '../../../src/index.ts';
import { MUX_PROTOCOL, YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import { closeOf } from '../../../test/support/events.ts';
import { forwardPorts } from '../../../test/support/forward-ports.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readAll, readExactly } from '../../../test/support/reading.ts';
import { serve } from '../../../test/support/wsconn.ts';
import { MUX_WITH_HEADERS } from '../../src/tunnel/stream-header.ts';

const ANY = '127.0.0.1:0';
const MIB = 1024 * 1024;

/** Starts a server that multiplexes by one protocol; returns its URL. */
async function muxServer(
  protocol: string,
  onStream: (stream: YamuxStream) => void,
): Promise<string> {
  const adapters = new Set<WsConnAdapter>();
  const server = createServer(
    { handleProtocols: (offered) => offered.has(protocol) && protocol },
    (adapter) => {
      adapters.add(adapter);
      const session = new YamuxSession(adapter, { role: 'server', allowHalfOpen: true });
      session.on('error', () => undefined);
      session.on('stream', (stream) => {
        stream.on('error', () => undefined);
        onStream(stream);
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = [...adapters].map(closeOf);
    for (const adapter of adapters) adapter.destroy();
    await Promise.all(closed);
    await server.close();
  });
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function dial(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

async function muxPort(url: string, ...args: string[]) {
  const { program, ports } = await forwardPorts(['--mux', '--listen', ANY, ...args, url]);
  return { program, port: ports[0] ?? 0 };
}

/** What a server gets that answers nothing before it has all. */
async function allOf(stream: YamuxStream): Promise<string> {
  const all = (await readAll(stream)).toString();
  stream.end(`ok\n${all}`);
  return all;
}

test('data and its end do not wait for the answer of the server', async () => {
  // Who waited for it would wait for ever.
  const url = await muxServer(MUX_WITH_HEADERS, (stream) => void allOf(stream));
  const { port } = await muxPort(url, '--to', 'db');
  const socket = dial(port);
  socket.end('early');
  expect((await readAll(socket)).toString()).toBe('open db\nearly');
});

test('data that is sent before and after the answer arrives whole', async () => {
  const url = await muxServer(MUX_WITH_HEADERS, (stream) => {
    void readExactly(stream, 'open\n'.length + MIB / 8).then((start) => {
      stream.write('ok\n');
      stream.write(start);
      stream.pipe(stream);
    });
  });
  const { port } = await muxPort(url);
  const sent = Buffer.from(Array.from({ length: MIB }, (_, index) => index % 251));
  const socket = dial(port);
  socket.end(sent);
  const all = await readAll(socket);
  expect(all.subarray('open\n'.length).equals(sent)).toBe(true);
});

test('a server that does not answer holds back a local program', async () => {
  let held: YamuxStream | undefined;
  const url = await muxServer(MUX_WITH_HEADERS, (stream) => (held = stream));
  const { port } = await muxPort(url);
  const socket = dial(port);
  const taken = socket.write(Buffer.alloc(64 * MIB));
  expect(taken).toBe(false);
  // All that the kernels, the windows and the buffers hold has left when nothing moves any more.
  let last = -1;
  for (let still = 0; still < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = socket.bytesWritten - socket.writableLength;
    still = now === last && held ? still + 1 : 0;
    last = now;
  }
  expect(socket.writableLength).toBeGreaterThan(0);
  // Once it answers, the rest follows.
  let received = 0;
  held?.on('data', (part: Buffer) => (received += part.length));
  held?.write('ok\n');
  socket.end();
  if (held) await once(held, 'end');
  expect(received).toBe(64 * MIB + 'open\n'.length);
  held?.end();
});

test('a refusal resets the local program, whatever it has sent', async () => {
  const url = await muxServer(MUX_WITH_HEADERS, (stream) => {
    stream.resume();
    stream.end('refused ETIMEDOUT far away\n');
  });
  const { program, port } = await muxPort(url);
  const socket = dial(port);
  socket.write(Buffer.alloc(MIB));
  await closeOf(socket);
  expect(socket.errored).toMatchObject({
    code: expect.stringMatching(/ECONNRESET|EPIPE/) as string,
  });
  await program.prints(/connection 1 .*failed: the server refused .*\(ETIMEDOUT\): far away/);
});

test.each([
  ['no answer', '', /ended the stream before its header/],
  ['nonsense', 'HTTP/1.1 200 OK\n', /sent no answer that this version knows/],
  ['an endless line', 'o'.repeat(2000), /longer than 1024 bytes/],
])('%s of the server is an error of the connection', async (_, answer, line) => {
  const url = await muxServer(MUX_WITH_HEADERS, (stream) => {
    stream.resume();
    stream.end(answer);
  });
  const { program, port } = await muxPort(url);
  const socket = dial(port);
  socket.write('x');
  await closeOf(socket);
  expect((await program.prints(/connection 1 .*failed: .*/))[0]).toMatch(line);
});

test('a local program that leaves before the answer ends its stream', async () => {
  let opened: (stream: YamuxStream) => void = () => undefined;
  const stream = new Promise<YamuxStream>((resolve) => (opened = resolve));
  const url = await muxServer(MUX_WITH_HEADERS, opened);
  const { program, port } = await muxPort(url);
  const socket = dial(port);
  socket.write('x');
  const held = await stream;
  socket.resetAndDestroy();
  await closeOf(held.resume());
  await program.prints(/connection 1 .*failed: the local program has closed its connection/);
});

describe('an old server', () => {
  test('gets no header, and has the target of the URL alone', async () => {
    const url = await muxServer(MUX_PROTOCOL, (stream) => {
      stream.pipe(stream);
    });
    const { program, ports } = await forwardPorts([
      ...['--mux', '--listen', ANY, '--socks', ANY, url],
    ]);
    await program.prints(/warning: the server knows no names of targets with --mux, and no SOCKS/);
    const [port = 0, socks = 0] = ports;
    const socket = dial(port);
    socket.end('as ever');
    expect((await readAll(socket)).toString()).toBe('as ever');
    const client = dial(socks);
    client.end(Buffer.from('05010005010001010203040050', 'hex'));
    expect((await readAll(client)).toString('hex')).toBe('050005010001000000000000');
    await program.prints(/connection 2 .*failed: the server knows no names/);
  });
});

test('a server that knows no header is named as why there is no SOCKS', async () => {
  const url = await muxServer('another', () => undefined);
  const { program, ports } = await forwardPorts(['--socks', ANY, url]);
  const client = dial(ports[0] ?? 0);
  client.end(Buffer.from('05010005010001010203040050', 'hex'));
  expect((await readAll(client)).toString('hex')).toBe('050005010001000000000000');
  await program.prints(/connection 1 .*failed: .*is it a wsconn serve with --allow-connect\?/);
});

test('an old client of the server has the target of its URL alone', async () => {
  const { url } = await serve(await target(echo));
  const adapter = connect(url, { protocols: MUX_PROTOCOL });
  onTestFinished(async () => {
    adapter.destroy();
    await closeOf(adapter);
  });
  await once(adapter, 'connect');
  const session = new YamuxSession(adapter, { role: 'client' });
  const stream = session.open();
  stream.end('open db\n');
  expect((await readAll(stream)).toString()).toBe('open db\n');
  await session.close();
});
