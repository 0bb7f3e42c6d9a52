// Reaches a device behind NAT over SSH: the device holds a control connection to a public server,
// and dials back when the server asks for it. All three parties are in this program; only the
// server listens on a port.
//
//   node --import tsx examples/revdial.ts uname
//
// It prints what the device answers to the command (uname or date), and ends.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import ssh2 from 'ssh2';

import { connect, createServer } from '../src/index.ts';
import { RevdialListener, RevdialServer } from '../src/revdial/index.ts';
import { makeSshServer } from './demo/ssh-server.ts';

const [command = 'uname'] = process.argv.slice(2);
const authorization = 'Bearer of-device-7';

// The public server: control connections come in on one path, what devices dial back with on
// another.
const revdial = new RevdialServer({ path: '/ssh/revdial' });
const controls = createServer({
  authenticate: ({ headers }) => headers.authorization === authorization,
});
controls.on('connection', (control) => revdial.createDialer(control));
const server = http.createServer().listen(0, '127.0.0.1');
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/ssh/connection') controls.handleUpgrade(request, socket, head);
  else revdial.handleUpgrade(request, socket, head);
});
await once(server, 'listening');

// The device: it serves SSH on what it is asked to dial, and listens on no port.
const sshd = makeSshServer();
const url = `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
const control = connect(`${url}/ssh/connection`, { headers: { authorization } });
const listener = new RevdialListener(control, (connPath, signal) =>
  connect(url + connPath, { signal }),
);
listener.on('connection', sshd.serve);
await once(control, 'connect');

// A user, whom the server lets reach the device.
const [device] = revdial.dialers;
if (!device) throw new Error('the device is not connected');
const sock = await device.dial();
const user = new ssh2.Client();
user.on('ready', () => {
  user.exec(command, (error, channel) => {
    if (error) throw error;
    channel.pipe(process.stdout);
    channel.on('close', () => {
      user.end();
    });
  });
});
user.connect({
  sock,
  ...sshd,
  hostHash: 'sha256',
  hostVerifier: (hash: string) => hash === sshd.fingerprint,
});
await once(user, 'close');

await listener.close();
await revdial.close();
server.close();
