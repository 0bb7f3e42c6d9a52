// A terminal in a web page: xterm.js there, ssh2 here, and JSON over a WebSocket between them, which
// Keepalive holds open through load balancers. A shell outlives a cut: the page comes back to it
// within a minute, and nothing of its output is lost.
//
//   SSH_KEY=~/.ssh/id_ed25519 node --import tsx examples/web-terminal/server.ts
//
// The example logs in to sshd on this machine and prints the address of the page. Whoever has that
// address has the shell, so it ends with a token that the page sends; browsers keep it out of their
// requests, because it stands behind a '#'. From the environment:
//
//   PORT             to listen on, at 127.0.0.1; 0 for a free one (8080)
//   SSH_HOST         (127.0.0.1)
//   SSH_PORT         (22)
//   SSH_USER         (whoever runs this)
//   SSH_KEY          file of a private key without passphrase; without it the agent at SSH_AUTH_SOCK
//   SSH_FINGERPRINT  of the host key, as ssh-keygen -lf shows it; needed unless SSH_HOST is this machine
//   ORIGIN           of the page, where it is seen behind a proxy: https://example.org; many with commas
//   TOKEN            of the address (a new one at each start)
//   KEEP_SECONDS     for which a shell waits for a page that was cut off (60)
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { WebSocketServer } from 'ws';

import { Assets } from './assets.ts';
import { PageConnection } from './page-connection.ts';
import { type Settings, settingsFrom } from './settings.ts';
import { Shells } from './shells.ts';

function readSettings(): Settings {
  try {
    return settingsFrom(process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

const settings = readSettings();
const shells = new Shells(settings);
const web = http.createServer(new Assets().serve);
const server = new WebSocketServer({ noServer: true, maxPayload: 1_048_576 });
let origins: readonly string[] = [];

web.on('upgrade', (request, socket, head) => {
  // Any page can open a WebSocket to 127.0.0.1, and says here which it is. The Host would not do:
  // a page of strangers can have its own name resolve to this machine (DNS rebinding).
  if (!origins.includes(request.headers.origin ?? '')) {
    socket.end(
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nset ORIGIN to let this page in\n',
    );
    return;
  }
  server.handleUpgrade(request, socket, head, (ws) => {
    new PageConnection(ws, shells, settings.token);
  });
});
web.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
web.listen(settings.port, '127.0.0.1', () => {
  const port = String((web.address() as AddressInfo).port);
  origins = settings.origins ?? [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
  console.log(`${String(origins[0])}/#${settings.token}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    web.close();
    web.closeAllConnections();
    for (const ws of server.clients) ws.close(1001, 'the server stops');
    void shells.endAll().then(() => process.exit(0));
  });
}
