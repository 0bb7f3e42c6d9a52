import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import os from 'node:os';
import { randomBytes } from 'node:crypto';

import ssh2, { type ConnectConfig } from 'ssh2';

/** What the environment says; the header of server.ts lists the variables. */
export interface Settings {
  readonly port: number;
  /** Origins of pages that may connect; null for those of the address that is listened on. */
  readonly origins: readonly string[] | null;
  readonly token: string;
  readonly login: ConnectConfig & { readonly host: string; readonly username: string };
  /** Time in ms for which a shell waits for a page that was cut off. */
  readonly keepFor: number;
}

/**
 * Reads the settings.
 * @throws Error that names the variable, and says what it should be
 */
export function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  // A variable that is set and empty is a mistake, most often in a script.
  const text = (name: string): string | undefined => {
    const value = env[name];
    if (value === '') throw new Error(`${name} is set and empty: unset it, or give a value`);
    return value;
  };
  const number = (name: string, fallback: number, most: number): number => {
    const value = Number(text(name) ?? fallback);
    if (Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw new Error(`${name} must be a whole number from 0 to ${String(most)}`);
  };

  const host = text('SSH_HOST') ?? '127.0.0.1';
  return {
    port: number('PORT', 8080, 65_535),
    origins: text('ORIGIN')?.split(',').map(checkOrigin) ?? null,
    token: text('TOKEN') ?? randomBytes(16).toString('base64url'),
    keepFor: 1_000 * number('KEEP_SECONDS', 60, 86_400),
    login: {
      host,
      port: number('SSH_PORT', 22, 65_535),
      username: text('SSH_USER') ?? os.userInfo().username,
      ...credentials(text('SSH_KEY'), text('SSH_AUTH_SOCK')),
      ...hostCheck(host, text('SSH_FINGERPRINT')),
      keepaliveInterval: 15_000,
    },
  };
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new Error(`ORIGIN must be as browsers send it, such as https://example.org: ${origin}`);
}

function credentials(keyFile?: string, agent?: string): ConnectConfig {
  if (keyFile !== undefined) {
    const privateKey = readFileSync(keyFile);
    const key = ssh2.utils.parseKey(privateKey);
    if (key instanceof Error) throw new Error(`SSH_KEY ${keyFile}: ${key.message}`);
    return { privateKey };
  }
  if (agent !== undefined) return { agent };
  throw new Error('no way to log in: set SSH_KEY to a key file, or SSH_AUTH_SOCK to an agent');
}

/** The server's key is checked, unless the server is this machine. */
function hostCheck(host: string, fingerprint?: string): ConnectConfig {
  if (fingerprint === undefined) {
    if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.')))
      return {};
    throw new Error(
      `SSH_FINGERPRINT is needed for ${host}: what ssh-keygen -lf shows of its host key (SHA256:…)`,
    );
  }
  return {
    hostHash: 'sha256',
    hostVerifier: (hash: string) =>
      `SHA256:${Buffer.from(hash, 'hex').toString('base64').replace(/=+$/, '')}` === fingerprint,
  };
}
