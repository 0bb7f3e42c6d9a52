import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { freePort } from '../free-port.ts';
import { printed, type Running, startProgram } from '../programs/program.ts';

/** A private reverse proxy on the loopback interface. */
export interface Proxy {
  readonly port: number;
  /**
   * Has it read its configuration again, as it does without a break; resolves when the new one is
   * in force.
   */
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** One that can be ended, with all connections through it, and started again on the same port. */
export interface RestartableProxy extends Proxy {
  readonly restart: () => Promise<void>;
  /** Kills it, its workers too, and starts it again. */
  readonly crash: () => Promise<void>;
}

/** How to run a kind of reverse proxy. */
export interface ProxyKind {
  readonly name: string;
  readonly program: string;
  /**
   * Its configuration: it listens on `port`, passes WebSockets on to `target`, and drops what idles
   * for `limit` s.
   */
  readonly configuration: (port: number, target: number, limit: number, folder: string) => string;
  readonly args: (configuration: string, folder: string) => string[];
  /** What it prints on stderr when it listens. */
  readonly ready: RegExp;
  /** Has it read its configuration again; then it prints `ready` once more. */
  readonly reloadSignal: NodeJS.Signals;
}

export const nginx: ProxyKind = {
  name: 'nginx',
  program: 'nginx',
  // The headers are what nginx's own documentation of WebSocket proxying asks for.
  configuration: (port, target, limit, folder) => `
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/body;
      proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi;
      scgi_temp_path ${folder}/scgi;
      server {
        listen 127.0.0.1:${String(port)};
        location / {
          proxy_pass http://127.0.0.1:${String(target)};
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection "upgrade";
          proxy_read_timeout ${String(limit)}s;
          proxy_send_timeout ${String(limit)}s;
        }
      }
    }
  `,
  args: (configuration, folder) => ['-e', 'stderr', '-p', folder, '-c', configuration],
  ready: /start worker process \d+/,
  reloadSignal: 'SIGHUP',
};

export const haproxy: ProxyKind = {
  name: 'HAProxy',
  program: 'haproxy',
  configuration: (port, target, limit) => `
defaults
  mode http
  timeout connect 5s
  timeout client ${String(limit)}s
  timeout server ${String(limit)}s
  timeout tunnel ${String(limit)}s
listen web
  bind 127.0.0.1:${String(port)}
  server target 127.0.0.1:${String(target)}
`,
  // As master and worker, because only the master says when it is ready.
  args: (configuration) => ['-W', '-db', '-f', configuration],
  ready: /Loading success/,
  reloadSignal: 'SIGUSR2',
};

/** How often to look for another port when somebody took the one that was free a moment ago. */
const TRIES = 5;

async function isReady(proxy: Running, pattern: RegExp): Promise<boolean> {
  return printed(proxy, pattern, 'stderr').then(
    () => true,
    () => false,
  );
}

/** Returns the processes that a process has started. */
function childrenOf(pid = 0): number[] {
  const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/**
 * Starts a private proxy before the port `target` of the loopback interface, with an idle limit in
 * s.
 */
export async function startProxy(
  kind: ProxyKind,
  program: string,
  target: number,
  limit: number,
): Promise<RestartableProxy> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'proxy-'));
  const file = path.join(folder, 'proxy.conf');
  let errors = '';
  for (let i = 0; i < TRIES; i++) {
    const port = await freePort();
    writeFileSync(file, kind.configuration(port, target, limit, folder));
    let proxy = startProgram(program, kind.args(file, folder));
    const stop = async (): Promise<void> => {
      // Killed, it would leave its worker behind.
      await proxy.stop('SIGTERM');
      rmSync(folder, { recursive: true });
    };
    const reload = async (): Promise<void> => {
      const already = proxy.errors().length;
      proxy.child.kill(kind.reloadSignal);
      await printed(
        proxy,
        new RegExp(`^[^]{${String(already)}}[^]*${kind.ready.source}`),
        'stderr',
      );
    };
    const startAgain = async (): Promise<void> => {
      proxy = startProgram(program, kind.args(file, folder));
      if (!(await isReady(proxy, kind.ready))) throw new Error(proxy.errors());
    };
    const restart = async (): Promise<void> => {
      await proxy.stop('SIGTERM');
      await startAgain();
    };
    const crash = async (): Promise<void> => {
      const workers = childrenOf(proxy.child.pid);
      // First the one that would start or stop others.
      proxy.child.kill('SIGKILL');
      for (const pid of workers) process.kill(pid, 'SIGKILL');
      await proxy.ended;
      await startAgain();
    };
    if (await isReady(proxy, kind.ready)) return { port, reload, restart, crash, stop };
    errors = proxy.errors();
  }
  rmSync(folder, { recursive: true });
  throw new Error(`${kind.name} did not start: ${errors}`);
}
