// Reaches a device behind NAT over SSH. The device holds a control connection to a public server, and
// dials back when the server asks it to. All three parties are in this program. Only the server
// listens on a port.
//
//   node --import tsx examples/revdial.ts uname
//
// It prints what the device answers to the command (uname or date), and ends.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { connect, createServer } from 'ws-conn-adapter';
import { RevdialListener, RevdialServer } from 'ws-conn-adapter/revdial';

import { makeSshServer } from './demo/ssh-server.ts';
import { openSshSession } from './demo/ssh-session.ts';

const [command = 'uname'] = process.argv.slice(2);
const authorization = 'Bearer of-device-7';

// The public server. Devices open control connections on one path and dial back on another.
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

// The device. It serves SSH on the connections that it dials back, and listens on no port.
const sshd = makeSshServer();
const url = `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
const control = connect(`${url}/ssh/connection`, { headers: { authorization } });
const listener = new RevdialListener(control, (connPath, signal) =>
  connect(url + connPath, { signal }),
);
listener.on('connection', sshd.serve);
await once(control, 'connect');

// A user of the server.
const [dialer] = revdial.dialers;
if (!dialer) throw new Error('the device is not connected');
const session = await openSshSession(await dialer.dial(), sshd);
process.stdout.write(await session.run(command));
await session.close();
await listener.close();
await revdial.close();
server.close();
