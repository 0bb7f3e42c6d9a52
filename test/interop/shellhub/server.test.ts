import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { makeSshServer } from '../../../examples/demo/ssh-server.ts';
import { openSshSession } from '../../../examples/demo/ssh-session.ts';
import { Device } from '../../../examples/shellhub-v2/device.ts';
import { DeviceConnection } from '../../../examples/shellhub-v2/server.ts';
import { CONNECTION_PATH } from '../../../examples/shellhub-v2/wire.ts';
import { createServer, type WsConnAdapter } from '../../../src/index.ts';
import { next } from '../../support/events.ts';
import type { GoProgram } from '../go-program.ts';
import { MIB, shellHubPeer, startShellHubPeer } from './ends.ts';

const sshd = makeSshServer();
const LOGIN = `${sshd.username} ${sshd.password} ${sshd.fingerprint}`;

interface Started {
  readonly server: GoProgram;
  /** Where it listens. */
  readonly port: number;
}

shellHubPeer.describe("a device of ours at a server that is ShellHub's", () => {
  /** Starts a server, and a device that has connected to it. */
  async function startDevice(ports: readonly number[] = []): Promise<Started> {
    const server = startShellHubPeer('server');
    const port = Number((await server.line('listening'))['port']);
    const device = new Device({
      url: `ws://127.0.0.1:${String(port)}`,
      serveSsh: sshd.serve,
      ports,
      retryDelay: 50,
    });
    const shutdown = new AbortController();
    const running = device.run(shutdown.signal);
    onTestFinished(async () => {
      shutdown.abort();
      await running;
    });
    await server.line('device');
    return { server, port };
  }

  test('takes 200 SSH sessions, 20 at once, from a client that does not wait for its first byte', async () => {
    const { server } = await startDevice();
    expect(await server.ask(`ssh 200 20 1000 ${LOGIN}`)).toMatchObject({ ok: 200, failures: [] });
    await server.ask('open 0');
  });

  test('carries 8 MiB each way in each of 20 sessions at once', async () => {
    const { server } = await startDevice();
    const answer = await server.ask(`ssh 20 20 ${String(8 * MIB)} ${LOGIN}`);
    expect(answer).toMatchObject({ ok: 20, failures: [] });
  });

  test('closes the session that is named, and no other', async () => {
    const { server } = await startDevice();
    for (const id of ['first', 'second']) {
      expect(await server.ask(`hold ${id} ${LOGIN}`)).toMatchObject({ error: null });
    }
    expect(await server.ask('close first')).toMatchObject({ error: null });
    expect(await server.line('released')).toMatchObject({ id: 'first' });
    expect(await server.ask('close nobody')).toMatchObject({ error: null });
    await server.ask('open 1');
    expect(await server.ask('close second')).toMatchObject({ error: null });
    expect(await server.line('released')).toMatchObject({ id: 'second' });
    await server.ask('open 0');
  });

  test('answers an HTTP request, and tells why it does not', async () => {
    const body = 'x'.repeat(100_000);
    const web = http.createServer((request, response) => {
      response.end(`${String(request.url)} ${body}`);
    });
    web.listen(0, '127.0.0.1');
    await next(web, 'listening');
    const { port } = web.address() as AddressInfo;
    const { server } = await startDevice([port]);
    const ask = `http 127.0.0.1 ${String(port)} /path`;
    expect(await server.ask(ask)).toMatchObject({ body: `/path ${body}`, error: null });
    web.close();
    await next(web, 'close');
    expect(await server.ask(ask)).toMatchObject({
      error: 'failed to dial to the address and port',
    });
    for (const address of ['127.0.0.1 1', `example.org ${String(port)}`]) {
      expect(await server.ask(`http ${address} /`)).toMatchObject({
        error: 'the device does not share that address',
      });
    }
  });

  test('connects anew when the WebSocket was dropped, and serves again', async () => {
    const { server } = await startDevice();
    await server.ask(`hold first ${LOGIN}`);
    await server.ask('drop');
    expect(await server.line('released')).toMatchObject({ id: 'first' });
    await server.line('device');
    expect(await server.ask(`ssh 1 1 1000 ${LOGIN}`)).toMatchObject({ ok: 1, failures: [] });
  });

  test('connects anew when the process of the server was killed, and another took its place', async () => {
    const { server, port } = await startDevice();
    await server.ask(`hold first ${LOGIN}`);
    await server.kill();
    const successor = createServer({ path: CONNECTION_PATH }).listen(port, '127.0.0.1');
    onTestFinished(async () => {
      await successor.close();
    });
    const [webSocket] = (await next(successor, 'connection')) as [WsConnAdapter];
    const connection = new DeviceConnection(webSocket);
    const session = await openSshSession(await connection.openSsh('first'), sshd);
    expect(await session.run('uname')).toContain(process.version);
    expect(await session.close()).toBeNull();
    expect(await connection.close()).toBeNull();
  });
});
