/** Each link within the documentation leads somewhere. */
import { existsSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { anchors, type Page, pages, ROOT } from './markdown.ts';

const all = pages();
const byFile = new Map(all.map((page) => [page.file, page]));

/** Returns why a link is broken, or nothing. */
function broken(page: Page, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = '', anchor] = link.split('#', 2);
  const target = file === '' ? page.file : path.join(path.dirname(page.file), file);
  if (!existsSync(path.join(ROOT, target))) return `${link}: there is no such file`;
  const linked = byFile.get(target);
  if (anchor === undefined || !linked) return undefined;
  return anchors(linked).has(anchor) ? undefined : `${link}: there is no such heading`;
}

test.each(all.map((page) => [page.file, page] as const))('the links of %s resolve', (_, page) => {
  const links = [...page.prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const problems = links.map((link) => broken(page, link)).filter((one) => one !== undefined);
  expect(problems).toEqual([]);
});

test('every page is linked to from another one', () => {
  const linked = new Set(
    all.flatMap((page) =>
      [...page.prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link = '']) =>
        path.join(path.dirname(page.file), link),
      ),
    ),
  );
  expect(all.map(({ file }) => file).filter((file) => !linked.has(file))).toEqual(['README.md']);
});
