import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const CACHE = path.join(import.meta.dirname, '../../node_modules/.cache/websocat');
const VERSION = '1.14.1';

/**
 * Returns where websocat is: BENCH_WEBSOCAT, or what cargo builds once, which takes minutes;
 * undefined where there is neither.
 */
export function websocatFile(): string | undefined {
  const given = process.env['BENCH_WEBSOCAT'];
  if (given !== undefined) return given;
  const file = path.join(CACHE, 'bin/websocat');
  if (existsSync(file)) return file;
  const args = ['install', 'websocat', '--version', VERSION, '--locked', '--root', CACHE];
  // Its default features want OpenSSL, and no tunnel over loopback does.
  const { status } = spawnSync('cargo', [...args, '--no-default-features'], { stdio: 'inherit' });
  return status === 0 ? file : undefined;
}
