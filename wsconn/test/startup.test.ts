import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

/** Returns the files that Node reads before the command does anything, and what else they import. */
function imports(file: string, found = new Set<string>()): Set<string> {
  found.add(file);
  const source = readFileSync(DIST + file, 'utf8');
  for (const [, name = ''] of source.matchAll(/^(?:import|\} from) ?(?:.* from )?"([^"]+)";$/gm)) {
    const local = name.startsWith('./') ? name.slice(2) : undefined;
    if (local === undefined) found.add(name);
    else if (!found.has(local)) imports(local, found);
  }
  return found;
}

test('connect starts from a few files, and imports nothing that Node takes long to look through', () => {
  const found = [...imports('main.js')];
  expect(found.length).toBeGreaterThan(1);
  expect(found.length).toBeLessThanOrEqual(5);
  expect(found.filter((name) => !/^(main|chunk-\w+)\.js$/.test(name))).toEqual([]);
});
