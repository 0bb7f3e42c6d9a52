/** Reads the Markdown of the repository, for the tests that hold it to the code. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of the repository. */
export const ROOT = path.join(import.meta.dirname, '../..');

/** One page of the documentation. */
export interface Page {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly text: string;
  /** The text without fenced blocks, which hold code. */
  readonly prose: string;
}

/** A fenced block, with what the comment above it says of it. */
export interface Fence {
  readonly page: Page;
  readonly language: string;
  /** Of a comment `<!-- snippet: NAME -->` or `<!-- recipe: NAME -->` on the line before. */
  readonly name: string | undefined;
  readonly code: string;
  /** Whether it was taken from a doc comment. */
  readonly generated: boolean;
}

const FENCE = /^(?:<!-- (?:snippet|recipe): (\S+) -->\n)?```(\w*)\n([^]*?)^```$/gm;

/** Returns every page that git knows of, or that is new and not ignored. */
export function pages(): readonly Page[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const files = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  return files.map((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    return { file, text, prose: text.replaceAll(FENCE, '') };
  });
}

/** Returns the fenced blocks of a page. */
export function fences(page: Page): readonly Fence[] {
  const generatedFrom = page.text.search(/^<!-- From here on this file is made/m);
  return [...page.text.matchAll(FENCE)].map((match) => {
    const [, name, language = '', code = ''] = match;
    const generated = generatedFrom >= 0 && match.index > generatedFrom;
    return { page, language, name, code, generated };
  });
}

/** Returns the rows of the tables whose first heading is `heading`, as lists of cells. */
export function rowsOf(page: Page, heading: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of page.prose.split('\n')) {
    const cells = line.startsWith('| ')
      ? line
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim())
          .slice(1, -1)
      : [];
    if (cells.length === 0) inside = false;
    else if (inside) rows.push(cells);
    else inside = cells[0]?.replaceAll('`', '') === heading;
  }
  return rows.filter(([first = '']) => !/^-+$/.test(first));
}

/** Returns the anchors of a page: those of its headings, as GitHub makes them, and those by hand. */
export function anchors(page: Page): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of page.prose.matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let i = 1; found.has(name); i++) name = `${slug}-${String(i)}`;
    found.add(name);
  }
  for (const [, id = ''] of page.prose.matchAll(/<a id="([^"]+)">/g)) found.add(id);
  return found;
}
