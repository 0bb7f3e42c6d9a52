import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import type { Certificate } from '../programs/authority.ts';
import { haproxy, startProxy } from './nginx-haproxy.ts';

/** Starts a HAProxy that ends TLS before a port of loopback; returns its port. */
export async function startTlsFront(
  program: string,
  folder: string,
  target: number,
  { cert, key }: Certificate,
): Promise<number> {
  const both = join(folder, 'front.pem');
  await writeFile(both, (await readFile(cert, 'utf8')) + (await readFile(key, 'utf8')));
  const configuration = (port: number, to: number): string => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen front
  bind 127.0.0.1:${String(port)} ssl crt ${both}
  server target 127.0.0.1:${String(to)}
`;
  const front = await startProxy({ ...haproxy, configuration }, program, target, 60);
  onTestFinished(front.stop);
  return front.port;
}
