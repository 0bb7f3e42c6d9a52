// Lets OpenSSH's own client travel in a WebSocket: standard input and output become one, for ssh's
// ProxyCommand.
//
//   node --import tsx examples/tcp-tunnel.ts server 8080 127.0.0.1:22             where sshd is
//   ssh -o ProxyCommand='node --import tsx examples/ssh-proxy-command.ts ws://127.0.0.1:8080' user@host
//
// It prints nothing of its own on standard output, which is ssh's; what went wrong goes to standard
// error, with exit code 1.
import { pipeline } from 'node:stream/promises';

import { connect } from '../src/index.ts';

const [url] = process.argv.slice(2);
if (url === undefined) {
  console.error('usage: ssh-proxy-command.ts URL');
  process.exit(2);
}

const socket = connect(url, { keepalive: true });
// How the two ways end says little: the socket keeps the first error, and close() gives it.
pipeline(process.stdin, socket).catch(() => undefined);
// When the server has said its last there is nothing left to do, even if standard input is still
// open: ssh waits for this process to end, since standard output cannot be closed before.
await pipeline(socket, process.stdout).catch(() => undefined);
const error = await socket.close();
if (error) console.error(`${url}: ${error.message}`);
process.exitCode = error ? 1 : 0;
process.stdin.destroy();
