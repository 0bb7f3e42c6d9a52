import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { tables, withTables } from './docs.ts';
import { picture } from './picture.ts';
import { merge, readResults, type Results } from './results.ts';

const BENCH = fileURLToPath(new URL('../', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

/**
 * Merges results into those of earlier runs, and writes them, their picture and their tables: into
 * the project, or all into one folder.
 */
export function save(now: Results, order: readonly string[], folder: string | null): void {
  const [bench, docs] = folder === null ? [BENCH, DOCS] : [folder, folder];
  mkdirSync(bench, { recursive: true });
  const file = path.join(bench, 'results.json');
  const results = merge(readResults(file), now, order);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(path.join(docs, 'benchmarks.svg'), picture(results));
  const page = path.join(docs, 'benchmarks.md');
  const text = folder === null ? withTables(readFileSync(page, 'utf8'), results) : tables(results);
  writeFileSync(page, text);
}
