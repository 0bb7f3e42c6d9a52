// Runs a command over SSH in a WebSocket, with ssh2. The adapter goes where ssh2 takes a socket.
// Nothing else changes.
//
//   node --import tsx examples/tcp-tunnel.ts server 8080 127.0.0.1:22
//   node --import tsx examples/ssh2-client.ts ws://127.0.0.1:8080 user ~/.ssh/id_ed25519 SHA256:… 'uname -a'
//
// The first command runs where sshd is. The fingerprint is that of the server's host key, as
// `ssh-keygen -lf` shows it. The example prints what the command prints, and ends with its exit code.
// Where there was no session, it prints the reason and ends with 255.
import { readFileSync } from 'node:fs';

import ssh2 from 'ssh2';
import { connect } from 'ws-conn-adapter';

const [url, username, keyFile, fingerprint, command] = process.argv.slice(2);
if (
  url === undefined ||
  keyFile === undefined ||
  fingerprint === undefined ||
  command === undefined
) {
  console.error('usage: ssh2-client.ts URL USER KEYFILE FINGERPRINT COMMAND');
  process.exit(255);
}

const client = new ssh2.Client();
client.on('ready', () => {
  client.exec(command, (error, channel) => {
    if (error) throw error;
    channel.pipe(process.stdout);
    channel.stderr.pipe(process.stderr);
    channel.on('close', (code: number | undefined) => {
      process.exitCode = code ?? 255;
      client.end();
    });
  });
});
client.on('error', (error) => {
  console.error(`${url}: ${error.message}`);
  process.exitCode = 255;
});
client.connect({
  sock: connect(url, { keepalive: true }),
  username: username ?? '',
  privateKey: readFileSync(keyFile),
  hostHash: 'sha256',
  hostVerifier: (hash: string) =>
    `SHA256:${Buffer.from(hash, 'hex').toString('base64').replace(/=+$/, '')}` === fingerprint,
});
