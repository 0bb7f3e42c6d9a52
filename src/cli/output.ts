import { once } from 'node:events';

/** Writes to stdout what was asked for; resolves when it has been taken. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}
