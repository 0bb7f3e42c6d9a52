import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { faults } from './planted-faults.ts';

const ROOT = path.join(import.meta.dirname, '../..');

test.each(faults)('$name has its place in the sources', ({ file, from }) => {
  expect(readFileSync(path.join(ROOT, file), 'utf8').split(from)).toHaveLength(2);
});
