// Writes docs/keepalive-table.md from a run of all cells.
//
//   node --import tsx test/stress/keepalive/write-table.ts
import { writeFileSync } from 'node:fs';

import { keepaliveTable } from './table.ts';

const page = new URL('../../../docs/keepalive-table.md', import.meta.url);
writeFileSync(page, keepaliveTable());
