import { onTestFinished } from 'vitest';

import { Link, type LinkOptions } from './link.ts';

/** Lays a link before a TCP port of this machine; it ends with the test. */
export async function startLink(target: number, options: LinkOptions = {}): Promise<Link> {
  const link = new Link(target, options);
  await link.listen();
  onTestFinished(() => link.stop());
  return link;
}
