import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import ssh2, { type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { DeviceConnection } from '../../../examples/shellhub-v2/server.ts';
import { formatLine, HTTP_PROXY, readLine } from '../../../examples/shellhub-v2/wire.ts';
import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { join, type WsConnAdapter } from '../../../src/index.ts';
import { select } from '../../../src/multistream/index.ts';
import { YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import { closeOf, next, turns } from '../../support/events.ts';
import { freePort } from '../../support/free-port.ts';
import { describeWith } from '../../support/programs/program.ts';
import { type Sshd, startSshd } from '../../support/programs/sshd.ts';
import { readExactly } from '../../support/reading.ts';
import type { GoProgram } from '../go-program.ts';
import { inParallel } from '../../support/in-parallel.ts';
import { MIB, shellHubPeer, shellHubServerOfTest, startShellHubPeer } from './ends.ts';

interface Ends {
  readonly agent: GoProgram;
  readonly webSocket: WsConnAdapter;
  readonly device: DeviceConnection;
  readonly nextDevice: () => Promise<WsConnAdapter>;
}

/** An SSH session with the command `cat`. */
interface Cat {
  readonly client: ssh2.Client;
  readonly channel: ClientChannel;
  /** Resolves when the connection is gone, with its first error, or null. */
  readonly ended: Promise<Error | null>;
}

shellHubPeer.describe("a server of ours with an agent that is ShellHub's", () => {
  describeWith('sshd', 'and a real sshd', (program) => {
    let sshd: Sshd;
    beforeAll(async () => {
      sshd = await startSshd(program);
    });
    afterAll(() => sshd.stop());

    async function startAgent(): Promise<Ends> {
      const { url, nextDevice } = await shellHubServerOfTest();
      const connecting = nextDevice();
      const agent = startShellHubPeer('agent', url, `127.0.0.1:${String(sshd.port)}`);
      const webSocket = await connecting;
      return { agent, nextDevice, webSocket, device: new DeviceConnection(webSocket) };
    }

    async function logIn(stream: YamuxStream): Promise<Cat> {
      const client = new ssh2.Client();
      const { username, keyFile, fingerprint } = sshd;
      const ready = once(client, 'ready');
      client.connect({
        sock: stream,
        username,
        privateKey: readFileSync(keyFile),
        hostVerifier: (key: Buffer) => {
          const digest = createHash('sha256').update(key).digest('base64').replace(/=+$/, '');
          return `SHA256:${digest}` === fingerprint;
        },
      });
      await ready;
      let failure: Error | null = null;
      client.on('error', (error) => (failure ??= error));
      const ended = next(client, 'close').then(() => failure);
      const channel = await new Promise<ClientChannel>((resolve, reject) => {
        client.exec('cat', (error, made) => {
          if (error) reject(error);
          else resolve(made);
        });
      });
      return { client, channel, ended };
    }

    async function sendThrough(device: DeviceConnection, id: string, sent: Buffer): Promise<void> {
      const stream = await device.openSsh(id);
      const closed = closeOf(stream);
      const { client, channel, ended } = await logIn(stream);
      channel.end(sent);
      expect(sha256(await buffer(channel))).toBe(sha256(sent));
      client.end();
      expect(await ended).toBeNull();
      await closed;
      expect(stream.errored).toBeNull();
    }

    test('opens 200 SSH sessions, 20 at once, and each gets its own bytes back', async () => {
      const { device } = await startAgent();
      await inParallel(200, 20, (index) =>
        sendThrough(device, `session-${String(index)}`, bytesOf(index, 1_000)),
      );
      expect(device.numStreams).toBe(0);
      await sshd.idle();
      expect(await device.close()).toBeNull();
    });

    test('carries 8 MiB each way in each of 20 sessions of OpenSSH at once', async () => {
      const { device } = await startAgent();
      const users = net.createServer({ allowHalfOpen: true }, (user) => {
        device
          .openSsh(String(user.remotePort))
          .then((stream) => join(user, stream))
          .catch((error: unknown) => user.destroy(error as Error));
      });
      users.listen(0, '127.0.0.1');
      await next(users, 'listening');
      onTestFinished(() => void users.close());
      const port = String((users.address() as AddressInfo).port);

      await inParallel(20, 20, async (index) => {
        const sent = bytesOf(index, 8 * MIB);
        const way = ['-o', 'HostName=127.0.0.1', '-p', port];
        const ssh = spawn('ssh', [...sshd.sshOptions, ...way, sshd.destination, 'cat']);
        const exited = once(ssh, 'exit');
        const errors = text(ssh.stderr);
        ssh.stdin.end(sent);
        expect(sha256(await buffer(ssh.stdout))).toBe(sha256(sent));
        expect({ exit: await exited, errors: await errors }).toEqual({
          exit: [0, null],
          errors: '',
        });
      });
      await sshd.idle();
      expect(await device.close()).toBeNull();
    });

    test('sends nothing behind the JSON line until the device has spoken', async () => {
      const { agent, device } = await startAgent();
      await agent.ask('hold');
      let opened = false;
      const opening = device.openSsh('slow').finally(() => (opened = true));
      await agent.line('agreed');
      // Its answer comes when we have what the agent has agreed on.
      expect(await agent.ask('ping')).toMatchObject({ error: null });
      await turns(3);
      expect(opened).toBe(false);
      await agent.ask('read');
      const { client, ended } = await logIn(await opening);
      client.end();
      expect(await ended).toBeNull();
      expect(await device.close()).toBeNull();
    });

    test.for(['cut', 'kill'])('loses every session at once, with an error: %s', async (how) => {
      const { agent, device, webSocket, nextDevice } = await startAgent();
      const cats = await Promise.all(
        Array.from({ length: 5 }, async (_, index) => logIn(await device.openSsh(String(index)))),
      );
      // Bytes are under way when it happens.
      for (const { channel } of cats) channel.write(bytesOf(1, MIB));
      const reconnecting = nextDevice();

      if (how === 'cut') webSocket.resetAndDestroy();
      else await agent.kill();

      for (const { ended } of cats) expect(await ended).toMatchObject({ code: 'ECONNRESET' });
      await sshd.idle();
      expect(device.numStreams).toBe(0);
      await expect(device.openSsh('too late')).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });

      // The agent connects anew by itself; one that was killed has to be started.
      if (how === 'cut') {
        await agent.line('lost');
        const again = new DeviceConnection(await reconnecting);
        await sendThrough(again, 'after the cut', bytesOf(1, 1_000));
        expect(await again.close()).toBeNull();
      }
    });

    test('closes the session that is named, and no other', async () => {
      const { device } = await startAgent();
      const [first, second] = await Promise.all([
        device.openSsh('first').then(logIn),
        device.openSsh('second').then(logIn),
      ]);
      await device.closeSsh('first');
      expect(await first.ended).toBeNull();
      second.channel.end('still here');
      expect(await text(second.channel)).toBe('still here');
      second.client.end();
      await second.ended;
      await device.closeSsh('nobody');
      expect(await device.close()).toBeNull();
    });

    test('sends an HTTP request through the proxy, and is told why it cannot', async () => {
      const { device } = await startAgent();
      const web = http.createServer((request, response) => {
        response.end(`${String(request.url)} ${'x'.repeat(100_000)}`);
      });
      web.listen(0, '127.0.0.1');
      await next(web, 'listening');
      const { port } = web.address() as AddressInfo;
      for (const path of ['/one', '/two']) {
        const stream = await device.openHttp('127.0.0.1', port);
        const request = http.get({ host: 'device', path, createConnection: () => stream });
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        expect(await text(response)).toBe(`${path} ${'x'.repeat(100_000)}`);
      }
      web.close();
      await next(web, 'close');
      await expect(device.openHttp('127.0.0.1', port)).rejects.toThrow(
        'the device refused: "failed to dial to the address and port"',
      );
      expect(await device.close()).toBeNull();
    });
  });

  test('is told at once where the device has no SSH server', async () => {
    const { url, nextDevice } = await shellHubServerOfTest();
    const connecting = nextDevice();
    startShellHubPeer('agent', url, `127.0.0.1:${String(await freePort())}`);
    const device = new DeviceConnection(await connecting);
    await expect(device.openSsh('1')).rejects.toThrow('the other end has ended without a word');
    expect(await device.close()).toBeNull();
  });

  test('would lose what it sent before the answer: the agent drops what it has read ahead', async () => {
    const { url, nextDevice } = await shellHubServerOfTest();
    const echo = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    echo.listen(0, '127.0.0.1');
    await next(echo, 'listening');
    onTestFinished(() => void echo.close());
    const { port } = echo.address() as AddressInfo;
    const connecting = nextDevice();
    startShellHubPeer('agent', url, '');
    const session = new YamuxSession(await connecting, { role: 'client' });
    const line = formatLine({ id: '1', host: '127.0.0.1', port: String(port) });

    const { stream } = await select(session.open(), HTTP_PROXY, { firstBytes: `${line}lost` });
    expect(await readLine(stream)).toEqual({ status: 'ok' });
    stream.write('kept');
    expect(String(await readExactly(stream, 4))).toBe('kept');
    stream.destroy();
    expect(await session.close()).toBeNull();
  });
});
