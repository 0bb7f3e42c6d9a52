// ShellHub's wire since V2, both ends: a device behind NAT opens one WebSocket to a public server and
// keeps it. yamux makes streams of it, multistream-select says what each is for, one JSON line says
// the rest. The device serves SSH and HTTP. All parties are in this program, and the path between
// them is cut once.
//
//   node --import tsx examples/shellhub-v2.ts
//
// It prints what the server got from the device:
//
//   ssh, uname: Linux 6.1.0, x64, Node v24.1.0
//   http, GET /status: the device is well
//   http, another port: the device refused: "the device does not share that address"
//   the path was cut: the SSH session failed (ECONNRESET), and the device connected anew
//   ssh, cat: 8 MiB there and back, the SHA-256 is the same
//   ssh, closed by the server: the session has ended, in order
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { createServer, type WsConnAdapter } from 'ws-conn-adapter';

import { startIdleLimitProxy } from './demo/idle-limit-proxy.ts';
import { sendAndReceive } from './demo/measure.ts';
import { makeSshServer } from './demo/ssh-server.ts';
import { openSshSession, type SshSession } from './demo/ssh-session.ts';
import { Device } from './shellhub-v2/device.ts';
import { DeviceConnection } from './shellhub-v2/server.ts';
import { CONNECTION_PATH } from './shellhub-v2/wire.ts';

const MIB = 1024 * 1024;
const headers = { authorization: 'Bearer of-device-7' };

// The public server.
const server = createServer({
  path: CONNECTION_PATH,
  authenticate: (request) => request.headers.authorization === headers.authorization,
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const nextDevice = async (): Promise<DeviceConnection> => {
  const [webSocket] = (await once(server, 'connection')) as [WsConnAdapter];
  return new DeviceConnection(webSocket);
};
const path = await startIdleLimitProxy((server.address() as AddressInfo).port, 60_000);

// The device. It listens on the loopback interface alone.
const web = http.createServer((_request, response) => response.end('the device is well'));
await once(web.listen(0, '127.0.0.1'), 'listening');
const { port } = web.address() as AddressInfo;
const sshd = makeSshServer();
const url = `ws://127.0.0.1:${String(path.port)}`;
const device = new Device({ url, headers, serveSsh: sshd.serve, ports: [port], retryDelay: 100 });
const shutdown = new AbortController();
const connecting = nextDevice();
const running = device.run(shutdown.signal);
let connection = await connecting;

async function logIn(id: string): Promise<SshSession> {
  return openSshSession(await connection.openSsh(id), sshd);
}

// What users of the server do.
const first = await logIn('session-1');
console.log(`ssh, uname: ${(await first.run('uname')).trim()}`);

const stream = await connection.openHttp('127.0.0.1', port);
const request = http.get({ host: 'device-7', path: '/status', createConnection: () => stream });
const [response] = (await once(request, 'response')) as [http.IncomingMessage];
console.log(`http, GET /status: ${await text(response)}`);
const refused = (await connection
  .openHttp('127.0.0.1', 22)
  .catch((error: unknown) => error)) as Error;
console.log(`http, another port: ${refused.message}`);

const reconnecting = nextDevice();
path.cut();
const lost = String((await first.ended)?.code);
connection = await reconnecting;
console.log(`the path was cut: the SSH session failed (${lost}), and the device connected anew`);

const second = await logIn('session-2');
const { sentHash, receivedHash } = await sendAndReceive(
  await second.start('cat'),
  8 * MIB,
  () => undefined,
);
const same = sentHash === receivedHash ? 'the same' : 'NOT the same';
console.log(`ssh, cat: 8 MiB there and back, the SHA-256 is ${same}`);
await connection.closeSsh('session-2');
const ended = await second.ended;
console.log(`ssh, closed by the server: the session has ended, ${ended?.message ?? 'in order'}`);

shutdown.abort();
await Promise.all([running, connection.close()]);
await Promise.all([path.close(), server.close()]);
web.close();
