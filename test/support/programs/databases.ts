import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { printed, startProgram } from './program.ts';

/** A private server of a database, with all its files in a folder that goes with it. */
export interface Database {
  /** Where it listens: a socket in its folder, so that no port has to be guessed. */
  readonly target: net.NetConnectOpts;
  readonly stop: () => Promise<void>;
}

function makeFolder(name: string): string {
  return mkdtempSync(path.join(os.tmpdir(), `${name}-`));
}

/** Starts a private Redis that keeps everything in memory. */
export async function startRedis(redisServer: string): Promise<Database> {
  const folder = makeFolder('redis');
  const socket = path.join(folder, 'redis.sock');
  const redis = startProgram(redisServer, [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--save',
    '',
    '--dir',
    folder,
  ]);
  await printed(redis, /ready to accept connections/i);
  return {
    target: { path: socket },
    stop: async () => {
      await redis.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** PostgreSQL does not run as root; Debian's package makes a user for it. */
function postgresUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (option: string): number =>
    Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Starts a private PostgreSQL with the one user and database `postgres`. */
export async function startPostgres(postgres: string): Promise<Database> {
  const folder = makeFolder('postgres');
  const user = postgresUser();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = path.join(folder, 'data');
  const initdb = path.join(path.dirname(postgres), 'initdb');
  const settings = [
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-locale',
    '--no-sync',
  ];
  execFileSync(initdb, [...settings, '-D', data], { cwd: folder, stdio: 'ignore', ...user });
  const server = startProgram(
    postgres,
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'],
    { cwd: folder, ...user },
  );
  await printed(server, /ready to accept connections/, 'stderr');
  return {
    target: { path: path.join(folder, '.s.PGSQL.5432') },
    stop: async () => {
      // Killed, it would leave its shared memory behind; SIGINT is its fast way to end in order.
      await server.stop('SIGINT');
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Starts a private MariaDB with the user `root`, who needs no password, and the database `test`.
 */
export async function startMariaDb(mariadbd: string): Promise<Database> {
  const folder = makeFolder('mariadb');
  const socket = path.join(folder, 'mariadb.sock');
  const common = [
    '--no-defaults',
    `--datadir=${path.join(folder, 'data')}`,
    `--user=${os.userInfo().username}`,
  ];
  execFileSync('mariadb-install-db', [...common, '--auth-root-authentication-method=normal'], {
    stdio: 'ignore',
  });
  const server = startProgram(mariadbd, [...common, '--skip-networking', `--socket=${socket}`]);
  await printed(server, /ready for connections/, 'stderr');
  return {
    target: { path: socket },
    stop: async () => {
      await server.stop('SIGTERM');
      rmSync(folder, { recursive: true });
    },
  };
}
