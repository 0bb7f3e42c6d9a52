/** --protocol, --max-payload and --tcp-end-is-eof. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

import { runWsconn } from '../../../test/support/wsconn.ts';

/**
 * Starts a server that takes only who offers `mqtt`; returns its URL and what it was offered.
 */
async function strict(
  onSocket: (ws: WebSocket) => void,
): Promise<{ readonly url: string; readonly offered: string[][] }> {
  const offered: string[][] = [];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
    verifyClient: ({
      req,
    }: {
      readonly req: { readonly headers: NodeJS.Dict<string | string[]> };
    }) => {
      const names = String(req.headers['sec-websocket-protocol'] ?? '').split(/, */);
      offered.push(names);
      return names.includes('mqtt');
    },
  });
  server.on('connection', onSocket);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const ws of server.clients) ws.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`, offered };
}

describe('--protocol', () => {
  test('is offered, so that a server which requires it lets in, by each command', async () => {
    const { url, offered } = await strict((ws) => {
      ws.on('message', (data: Buffer) => {
        ws.send(data);
      });
      ws.on('message', () => {
        ws.close();
      });
    });
    const without = await runWsconn(['connect', url]);
    expect(without).toMatchObject({ code: 1, stdout: '' });
    const args = ['--protocol', 'v1.mqtt', '--protocol', 'mqtt', url];
    const ended = await runWsconn(['connect', ...args], { input: 'hello' });
    expect(ended).toEqual({ code: 0, stdout: 'hello', stderr: '' });
    expect(offered).toEqual([[''], ['v1.mqtt', 'mqtt']]);
    expect(await runWsconn(['ping', '--count', '1', ...args])).toMatchObject({ code: 0 });
    expect(offered[2]).toEqual(['wsconn.probe', 'v1.mqtt', 'mqtt']);
    expect(await runWsconn(['doctor', '--steps', '0.1', ...args])).toMatchObject({ code: 0 });
  });

  test('that the server does not take is told', async () => {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => false,
    });
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const args = ['connect', '--protocol', 'mqtt', `ws://127.0.0.1:${String(port)}`];
    const { code, stderr } = await runWsconn(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^[^\n]+; if it takes no subprotocol, leave --protocol out\n$/);
  });
});

test('--max-payload lets larger messages in, and no larger ones', async () => {
  const { url } = await strict((ws) => {
    ws.send(Buffer.alloc(1_500_000, 'x'));
    ws.close(1000);
  });
  const run = (...args: string[]): ReturnType<typeof runWsconn> =>
    runWsconn(['connect', '--protocol', 'mqtt', ...args, url]);
  const over = await run();
  expect(over).toMatchObject({ code: 1, stdout: '' });
  expect(over.stderr).toMatch(/--max-payload/);
  expect((await run('--max-payload', '1499999')).code).toBe(1);
  const within = await run('--max-payload', '1500000');
  expect({ ...within, stdout: within.stdout.length }).toEqual({
    code: 0,
    stdout: 1_500_000,
    stderr: '',
  });
});

test('--tcp-end-is-eof takes the end of a server that never sends Close for its end', async () => {
  const { url } = await strict((ws) => {
    // As gorilla's Conn.Close() does.
    ws.send('', { binary: true }, () => {
      ws.send(Buffer.from('all'), () => {
        (ws as unknown as { readonly _socket: { end(): void } })._socket.end();
      });
    });
  });
  const args = ['--protocol', 'mqtt', url];
  const cut = await runWsconn(['connect', ...args]);
  expect(cut).toMatchObject({ code: 1, stdout: 'all' });
  const whole = await runWsconn(['connect', '--tcp-end-is-eof', ...args]);
  expect(whole).toEqual({ code: 0, stdout: 'all', stderr: '' });
});
