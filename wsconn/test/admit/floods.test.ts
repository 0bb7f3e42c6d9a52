/** Wrong tokens in great number, and connections that are of no use, against the real program. */
import { once, setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { ask } from '../../../test/support/handshake.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { serve, wsconn } from '../../../test/support/wsconn.ts';

const env = { WSCONN_TOKEN: 'right' };

/** Connects, sends bytes and resolves when the server has closed. */
async function send(port: number, bytes: string | Buffer): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(bytes);
  socket.on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  await once(socket, 'close');
  return answer;
}

/** Returns what many clients hang up by. */
function manyMayHangUp(): AbortController {
  const hangUp = new AbortController();
  setMaxListeners(0, hangUp.signal);
  return hangUp;
}

test('a right token is answered before the wrong ones of its address, and more of them get 429', async () => {
  const { program, port } = await serve(await target(echo), ['--max-connections', '40'], { env });
  const order: string[] = [];
  const hangUp = manyMayHangUp();
  const flood = Array.from({ length: 60 }, async () => {
    const { status, headers } = await ask(port, { token: 'wrong', signal: hangUp.signal });
    order.push(String(status));
    if (status === 429) expect(headers['retry-after']).toMatch(/^[1-8]$/);
  });
  const settled = Promise.allSettled(flood);
  // The flood is answered as far as it ever is at once when the last has got its 429.
  await expect.poll(() => order.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(51);
  expect(await ask(port, { token: 'right' })).toMatchObject({ status: 101 });
  order.push('right');
  expect(order.filter((each) => each === '429').length).toBeGreaterThan(40);
  expect(order.filter((each) => each === '401').length).toBeLessThan(9);
  expect(order.filter((each) => each === '503')).toEqual([]);
  hangUp.abort();
  const results = await settled;
  // Those that were still waiting when the right one had long been let in.
  expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
  await program.prints(/refused 127\.0\.0\.1:\d+ with 401: wrong token, but it hung up first\n/);
  // Their places are free again.
  expect(await ask(port, { token: 'wrong' })).toMatchObject({ status: 401 });
});

test('waiting refusals of many addresses leave places for right tokens', async () => {
  const { port } = await serve(await target(echo), ['--max-connections', '8'], { env });
  const hangUp = manyMayHangUp();
  const addresses = Array.from({ length: 6 }, (_, i) => `127.0.1.${String(i + 1)}`);
  const wrong = (from: string, signal?: AbortSignal) =>
    ask(port, { from, token: 'wrong', ...(signal && { signal }) });
  const answers: number[] = [];
  const flood = [...addresses, ...addresses, ...addresses, ...addresses].map(async (from) => {
    answers.push((await wrong(from, hangUp.signal)).status);
  });
  const settled = Promise.allSettled(flood);
  await expect.poll(() => answers.length).toBeGreaterThanOrEqual(20);
  expect(await ask(port, { token: 'right' })).toMatchObject({ status: 101 });
  hangUp.abort();
  await settled;
  expect(answers.filter((status) => status === 503)).toEqual([]);
});

test('a PROXY header that is malformed, cut or endless closes its connection, with one line', async () => {
  const args = ['--trusted-proxy', '127.0.0.1'];
  const { program, port } = await serve(await target(echo), args);
  expect(await send(port, 'PROXY nonsense\r\nGET /healthz HTTP/1.1\r\n\r\n')).toBe('');
  await program.prints(/closed a connection of the proxy 127\.0\.0\.1:\d+: .*its family is not/);
  expect(await send(port, `PROXY ${'x'.repeat(5000)}`)).toBe('');
  await program.prints(/malformed: its line has no end/);
  const cut = net.connect(port, '127.0.0.1');
  cut.end('PROXY TCP4 1.2');
  await program.prints(/it ended within a PROXY header/);
  expect(await ask(port)).toMatchObject({ status: 101 });
});

test('a header in pieces, and what follows in the same packet, are read', async () => {
  const args = ['--trusted-proxy', '127.0.0.1'];
  const { port } = await serve(await target(echo), args);
  const socket = net.connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  for (const byte of 'PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\nGET ') {
    socket.write(byte);
    await new Promise(setImmediate);
  }
  socket.write('/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  socket.destroy();
});

test('a unix socket is a trusted proxy where `unix` is listed, and else is not', async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  const headers = { 'X-Forwarded-For': '203.0.113.7' };
  for (const [trust, line] of [
    ['unix', /connection 1 from 203\.0\.113\.7 via a unix socket opened\n/],
    ['127.0.0.1', /connection 1 from a unix socket \(X-Forwarded-For: "203\.0\.113\.7"\) opened\n/],
  ] as const) {
    const socketPath = join(folder.path, trust);
    const to = `127.0.0.1:${String(await target(echo))}`;
    const program = wsconn(
      ['serve', '--listen', `unix:${socketPath}`, '--to', to].concat('--trusted-proxy', trust),
    );
    await program.prints(/listening on/);
    expect(await ask(0, { socketPath, headers })).toMatchObject({ status: 101 });
    await program.prints(line);
  }
});

test('refused TLS handshakes are logged with address and reason, and a flood of them is counted', async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  const authority = await makeAuthority(folder.path);
  const own = await authority.sign('server');
  const tls = ['--tls-cert', own.cert, '--tls-key', own.key];
  const { program, port } = await serve(await target(echo), tls);
  // Who only looks whether somebody listens is no refusal.
  net.connect(port, '127.0.0.1').end().resume();
  await send(port, 'GET / HTTP/1.1\r\n\r\n');
  await program.prints(
    /refused the TLS handshake of 127\.0\.0\.1:\d+: it sent plain HTTP \(ERR_SSL_HTTP_REQUEST\)\n/,
  );
  const half = net.connect(port, '127.0.0.1');
  half.end(Buffer.from([0x16, 0x03, 0x01]));
  await program.prints(/refused the TLS handshake of 127\.0\.0\.1:\d+: the client hung up\n/);
  for (let i = 0; i < 60; i++) await send(port, 'nonsense, nonsense, nonsense');
  await program.prints(/refused TLS handshakes: further ones are counted for 60 s\n/);
  expect(program.stderr.match(/refused the TLS handshake/g)).toHaveLength(30);
  const ca = await readFile(authority.ca, 'utf8');
  expect(await ask(port, { tls: { ca } })).toMatchObject({ status: 101 });
}, 60_000);
