import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { freePort } from '../free-port.ts';
import { printed, startProgram } from '../programs/program.ts';
import type { Proxy } from './nginx-haproxy.ts';

/** A site that listens on `port` and passes everything on to `target`. */
const plainSite = (port: number, target: number): string => `
http://127.0.0.1:${String(port)} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${String(target)}
}
`;

/**
 * Starts a private Caddy before the port `target` of the loopback interface. Unlike other proxies
 * it ends WebSockets when it is reloaded.
 */
export async function startCaddy(
  program: string,
  target: number,
  site = plainSite,
): Promise<Proxy> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'caddy-'));
  const [file, admin] = [path.join(folder, 'Caddyfile'), `unix/${path.join(folder, 'admin')}`];
  const port = await freePort();
  // It is told to read its configuration again over a socket of its own, which needs no port.
  const general = `{\n  admin ${admin}\n  auto_https off\n}\n`;
  writeFileSync(file, general + site(port, target));
  const home = path.join(folder, 'home');
  mkdirSync(home);
  // Where it keeps what belongs to it.
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home };
  const args = ['--config', file, '--adapter', 'caddyfile'];
  const caddy = startProgram(program, ['run', ...args], { env });
  await printed(caddy, /serving initial configuration/, 'stderr');
  return {
    port,
    reload: async () => {
      const { ended } = startProgram(program, ['reload', '--force', '--address', admin, ...args], {
        env,
      });
      const { code, errors } = await ended;
      if (code !== 0) throw new Error(`Caddy was not reloaded: ${errors}`);
    },
    stop: async () => {
      await caddy.stop('SIGTERM');
      rmSync(folder, { recursive: true });
    },
  };
}
