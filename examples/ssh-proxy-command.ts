// Connects OpenSSH's own client through a WebSocket, as its ProxyCommand: standard input goes into the
// WebSocket, and what comes out of it goes to standard output.
//
//   node --import tsx examples/tcp-tunnel.ts server 8080 127.0.0.1:22
//   ssh -o ProxyCommand='node --import tsx examples/ssh-proxy-command.ts ws://127.0.0.1:8080' user@host
//
// The first command runs where sshd is. Standard output belongs to ssh, so the example prints nothing
// of its own there. An error goes to standard error, with exit code 1.
import { pipeline } from 'node:stream/promises';

import { connect } from 'ws-conn-adapter';

const [url] = process.argv.slice(2);
if (url === undefined) {
  console.error('usage: ssh-proxy-command.ts URL');
  process.exit(2);
}

const socket = connect(url, { keepalive: true });
// The socket keeps the first error, and close() returns it. So the pipelines' own can be ignored.
pipeline(process.stdin, socket).catch(() => undefined);
// Once the server has ended there is nothing left to do, even if standard input is still open. ssh
// waits for this process to end, since standard output cannot be closed before.
await pipeline(socket, process.stdout).catch(() => undefined);
const error = await socket.close();
if (error) console.error(`${url}: ${error.message}`);
process.exitCode = error ? 1 : 0;
process.stdin.destroy();
