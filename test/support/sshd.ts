import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** A private OpenSSH server, and the options with which ssh logs in to it. */
export interface Sshd {
  readonly port: number;
  /** Everything but the way to the server: key, known host, and nothing of the user's own configuration. */
  readonly sshOptions: readonly string[];
  readonly destination: string;
  readonly stop: () => Promise<void>;
}

const HOST = 'sshd.test';

function makeKey(file: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8');
}

/** Makes keys and configuration in a folder of their own; the only user is the one who runs the tests. */
function configure(folder: string): { config: string; sshOptions: string[] } {
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
      '',
    ].join('\n'),
  );
  const known = [`HostKeyAlias=${HOST}`, `UserKnownHostsFile=${path.join(folder, 'known_hosts')}`];
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes', ...known];
  const sshOptions = ['-F', 'none', '-i', path.join(folder, 'user'), ...options.flatMap((o) => ['-o', o])];
  return { config, sshOptions };
}

/**
 * Starts a private OpenSSH server on a free port of the loopback interface. The port is listened to here, and each
 * connection given to an sshd of its own, as inetd does: so no port has to be guessed.
 */
export async function startSshd(sshd: string): Promise<Sshd> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sshd-'));
  const { config, sshOptions } = configure(folder);
  // The folder that sshd, when root starts it, locks itself into before the login; Debian's boot script makes it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });

  const running = new Set<Promise<unknown>>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(sshd, ['-i', '-f', config], { stdio: [socket, socket, 'ignore'] });
    const ended = once(child, 'exit').finally(() => running.delete(ended));
    running.add(ended);
    // The child has the connection now.
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    sshOptions,
    destination: `${os.userInfo().username}@${HOST}`,
    stop: async () => {
      server.close();
      await Promise.all([once(server, 'close'), ...running]);
      rmSync(folder, { recursive: true });
    },
  };
}
