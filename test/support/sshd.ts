import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from './free-port.ts';
import { Program } from './program.ts';
import { findProgram } from './system-program.ts';

/** Made once for a file of tests: keys take a while. */
export interface SshKeys {
  readonly folder: string;
}

/** A private OpenSSH server on loopback, and how its client gets in. */
export interface Sshd {
  readonly port: number;
  readonly program: Program;
  /** Arguments of ssh and scp that know its keys; `options` say which way to go. */
  clientArguments(options: readonly string[]): string[];
  /** Who may log in: the user who runs the tests. */
  readonly login: string;
}

/** Makes the host key, the user's key and what says that they may be trusted. */
export async function makeSshKeys(folder: string): Promise<SshKeys> {
  const keygen = promisify(execFile);
  for (const name of ['host', 'user']) {
    await keygen('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
  }
  await copyFile(join(folder, 'user.pub'), join(folder, 'authorized_keys'));
  const hostKey = await readFile(join(folder, 'host.pub'), 'utf8');
  await writeFile(join(folder, 'known_hosts'), `wsconn.test ${hostKey}`);
  return { folder };
}

/** Starts sshd, with nothing of the system's configuration; ends with the test. */
export async function startSshd({ folder }: SshKeys): Promise<Sshd> {
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  await writeFile(
    config,
    [
      `ListenAddress 127.0.0.1:${String(port)}`,
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      'Subsystem sftp internal-sftp',
      '',
    ].join('\n'),
  );
  // Where sshd drops its privileges, Debian's wants this folder, which the service of the system would have made.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const program = new Program(findProgram('sshd') ?? 'sshd', ['-D', '-e', '-f', config]);
  await program.prints(/Server listening/);
  return {
    port,
    program,
    login: `${userInfo().username}@wsconn.test`,
    clientArguments: (options) => [
      ...['-F', 'none', '-i', join(folder, 'user')],
      ...[
        ...options,
        'HostKeyAlias=wsconn.test',
        `UserKnownHostsFile=${join(folder, 'known_hosts')}`,
        'GlobalKnownHostsFile=none',
        'StrictHostKeyChecking=yes',
        'IdentitiesOnly=yes',
        'BatchMode=yes',
        'ConnectTimeout=60',
      ].flatMap((option) => ['-o', option]),
    ],
  };
}
