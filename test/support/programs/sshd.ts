import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { freePort } from '../free-port.ts';
import { printed, startProgram } from './program.ts';

/** A private OpenSSH server, and the options with which ssh logs in to it. */
export interface Sshd {
  /** Sessions that run. */
  readonly sessions: () => number;
  /** Resolves when no session runs. */
  readonly idle: () => Promise<void>;
  /** Stops the servers of all sessions that run, or lets them go on: SIGSTOP and SIGCONT. */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  readonly port: number;
  readonly username: string;
  readonly keyFile: string;
  /** Of the host key, as ssh-keygen shows it: `SHA256:` and base64 without padding. */
  readonly fingerprint: string;
  /**
   * Everything but the way to the server: key, known host, and nothing of the user's own
   * configuration.
   */
  readonly sshOptions: readonly string[];
  readonly destination: string;
  readonly stop: () => Promise<void>;
}

const HOST = 'sshd.test';

function makeKey(file: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8');
}

function fingerprintOf(publicKey: string): string {
  const key = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/**
 * Makes keys and configuration in a folder of their own; the only user is the one who runs the
 * tests.
 * @param more - lines of sshd_config
 */
function configure(
  folder: string,
  more: readonly string[] = [],
): {
  config: string;
  keyFile: string;
  hostKey: string;
  sshOptions: string[];
} {
  const hostKey = makeKey(path.join(folder, 'host'));
  const userKey = makeKey(path.join(folder, 'user'));
  writeFileSync(path.join(folder, 'authorized_keys'), userKey);
  writeFileSync(path.join(folder, 'known_hosts'), `${HOST} ${hostKey}`);
  const config = path.join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      `HostKey ${path.join(folder, 'host')}`,
      `AuthorizedKeysFile ${path.join(folder, 'authorized_keys')}`,
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'StrictModes no',
      'UsePAM no',
      // Debian's bash reads ~/.bashrc when sshd runs it, unless it is told that a shell has done
      // so: what stands there is the machine's own affair, and may print.
      'SetEnv SHLVL=2',
      'AcceptEnv LANG',
      'Subsystem sftp internal-sftp',
      ...more,
      '',
    ].join('\n'),
  );
  const known = [`HostKeyAlias=${HOST}`, `UserKnownHostsFile=${path.join(folder, 'known_hosts')}`];
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes', ...known];
  const keyFile = path.join(folder, 'user');
  const sshOptions = ['-F', 'none', '-i', keyFile, ...options.flatMap((option) => ['-o', option])];
  return { config, keyFile, hostKey, sshOptions };
}

/**
 * Makes the folder that sshd, when root starts it, locks itself into before the login; else
 * Debian's boot script does.
 */
function makePrivsepFolder(): void {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
}

/** A private OpenSSH server whose log can be read. */
export interface StrictSshd extends Pick<Sshd, 'port' | 'sshOptions' | 'destination' | 'stop'> {
  /** Waits for something in its log; rejects when it ends without it. */
  readonly logs: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/**
 * Starts a private OpenSSH server that takes one connection at a time which has not logged in yet,
 * and refuses others.
 */
export async function startStrictSshd(sshd: string): Promise<StrictSshd> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sshd-'));
  makePrivsepFolder();
  const port = await freePort();
  const listen = [`ListenAddress 127.0.0.1:${String(port)}`, `PidFile ${path.join(folder, 'pid')}`];
  const { config, sshOptions } = configure(folder, [...listen, 'MaxStartups 1']);
  const running = startProgram(sshd, ['-D', '-e', '-f', config]);
  await printed(running, /Server listening on/, 'stderr');
  return {
    port,
    sshOptions,
    destination: `${os.userInfo().username}@${HOST}`,
    logs: (pattern) => printed(running, pattern, 'stderr'),
    stop: async () => {
      await running.stop('SIGTERM');
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Starts a private OpenSSH server on a free port of the loopback interface. The port is listened to
 * here, and each connection given to an sshd of its own, as inetd does: so no port has to be
 * guessed.
 */
export async function startSshd(sshd: string): Promise<Sshd> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sshd-'));
  const { config, keyFile, hostKey, sshOptions } = configure(folder);
  const { username } = os.userInfo();
  makePrivsepFolder();
  const running = new Map<Promise<unknown>, ChildProcess>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    // Detached, it leads a group of its processes; the shells lead others.
    const child = spawn(sshd, ['-i', '-f', config], {
      stdio: [socket, socket, 'ignore'],
      detached: true,
    });
    const ended = once(child, 'exit').finally(() => running.delete(ended));
    running.set(ended, child);
    // The child has the connection now.
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    sessions: () => running.size,
    idle: async () => {
      while (running.size > 0) await Promise.all(running.keys());
    },
    signal: (signal) => {
      for (const { pid } of running.values()) if (pid !== undefined) process.kill(-pid, signal);
    },
    port: (server.address() as AddressInfo).port,
    username,
    keyFile,
    fingerprint: fingerprintOf(hostKey),
    sshOptions,
    destination: `${username}@${HOST}`,
    stop: async () => {
      server.close();
      await Promise.all([once(server, 'close'), ...running.keys()]);
      rmSync(folder, { recursive: true });
    },
  };
}
