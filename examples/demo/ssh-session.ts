import { once } from 'node:events';
import type net from 'node:net';
import { text } from 'node:stream/consumers';

import ssh2, { type ClientChannel } from 'ssh2';

import type { SshLogin } from './ssh-server.ts';

export interface SshSession {
  /** Opens a channel to a command. */
  readonly start: (command: string) => Promise<ClientChannel>;
  /** Runs a command. Resolves with what it printed. */
  readonly run: (command: string) => Promise<string>;
  /** Resolves with the first error that ended the session, or null when it ended in order. */
  readonly ended: Promise<NodeJS.ErrnoException | null>;
  readonly close: () => Promise<NodeJS.ErrnoException | null>;
}

/**
 * Logs in over a connection that is already open, and checks the host key.
 */
export async function openSshSession(sock: net.Socket, login: SshLogin): Promise<SshSession> {
  const client = new ssh2.Client();
  client.connect({
    sock,
    username: login.username,
    password: login.password,
    hostHash: 'sha256',
    hostVerifier: (fingerprint: string) => fingerprint === login.fingerprint,
  });
  await once(client, 'ready');

  let failure: NodeJS.ErrnoException | null = null;
  client.on('error', (error) => {
    failure ??= error;
  });
  const ended = new Promise<NodeJS.ErrnoException | null>((resolve) => {
    client.on('close', () => {
      resolve(failure);
    });
  });
  return {
    start: (command) => exec(client, command, (channel) => channel),
    run: async (command) => {
      const [answer, status] = await exec(client, command, answerOf);
      if (status !== 0) throw new Error(`'${command}' ended with status ${String(status)}`);
      return answer;
    },
    ended,
    close: () => {
      client.end();
      return ended;
    },
  };
}

/** Opens a channel and passes it on at once, since its first events may come in the same turn. */
function exec<T>(
  client: ssh2.Client,
  command: string,
  take: (channel: ClientChannel) => T | Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) reject(error);
      else resolve(take(channel));
    });
  });
}

/**
 * Waits for all that a command prints, and for its exit status: undefined where the channel was
 * cut.
 */
async function answerOf(
  channel: ClientChannel,
): Promise<[answer: string, status: number | undefined]> {
  const [answer, [status]] = await Promise.all([
    text(channel),
    once(channel, 'close') as Promise<[status?: number]>,
  ]);
  return [answer, status];
}
