import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../free-port.ts';
import { WatchedProgram } from '../programs/watched-program.ts';

/**
 * Starts a real HTTP proxy on loopback, which ends with the test; `config` are further lines for
 * it.
 */
export async function startTinyproxy(
  tinyproxy: string,
  folder: string,
  config: readonly string[] = [],
): Promise<{ readonly url: string; readonly program: WatchedProgram }> {
  const port = await freePort();
  const file = join(folder, 'tinyproxy.conf');
  await writeFile(
    file,
    [
      `Port ${String(port)}`,
      'Listen 127.0.0.1',
      'Allow 127.0.0.1',
      'MaxClients 200',
      'Timeout 600',
      'LogLevel Info',
      ...config,
      '',
    ].join('\n'),
  );
  const program = new WatchedProgram(tinyproxy, ['-d', '-c', file]);
  await program.prints(/Accepting connections|Starting main loop/);
  return { url: `http://127.0.0.1:${String(port)}`, program };
}
