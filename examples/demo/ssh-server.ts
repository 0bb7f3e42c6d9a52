import { createHash, randomBytes } from 'node:crypto';
import type net from 'node:net';
import os from 'node:os';

import ssh2, { type ServerChannel } from 'ssh2';

const commands: Readonly<Record<string, (channel: ServerChannel) => void>> = {
  uname: (channel) => {
    answer(channel, `${os.type()} ${os.release()}, ${os.arch()}, Node ${process.version}\n`);
  },
  date: (channel) => {
    answer(channel, `${new Date().toString()}\n`);
  },
  cat: (channel) => {
    // Before pipe(), which closes the channel when that has ended: no status can follow.
    channel.on('end', () => {
      channel.exit(0);
    });
    channel.pipe(channel);
  },
};

function answer(channel: ServerChannel, text: string, status = 0): void {
  channel.write(text);
  channel.exit(status);
  channel.end();
}

/** What a client needs to log in, and to check the server. */
export interface SshLogin {
  readonly username: string;
  readonly password: string;
  /** SHA-256 of the server's public key. */
  readonly fingerprint: string;
}

export interface SshServer extends SshLogin {
  /** Serves SSH on a connection that is already there: a net.Socket, or what behaves as one. */
  readonly serve: (socket: net.Socket) => void;
}

/**
 * Makes an SSH server that listens on no port, with a new host key, a new password and three
 * commands.
 */
export function makeSshServer(): SshServer {
  // ssh2 1.17 cannot read one in 256 of its own ed25519 keys (its issue 1390).
  const hostKey = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const publicKey = Buffer.from(hostKey.public.split(' ')[1] ?? '', 'base64');
  const username = 'guest';
  const password = randomBytes(12).toString('base64url');

  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('authentication', (attempt) => {
      const known = attempt.method === 'password' && attempt.username === username;
      if (known && attempt.password === password) attempt.accept();
      else attempt.reject(['password']);
    });
    client.on('session', (acceptSession) => {
      acceptSession().on('exec', (accept, _reject, { command }) => {
        const run = commands[command];
        if (run) run(accept());
        else answer(accept(), `${command}: command not found\n`, 127);
      });
    });
    // The client reports a connection that was cut. Here the error must only not end the process.
    client.on('error', () => undefined);
  });

  return {
    username,
    password,
    fingerprint: createHash('sha256').update(publicKey).digest('hex'),
    serve: (socket) => {
      server.injectSocket(socket);
    },
  };
}
