/** The bytes in docs/multistream.md are what the code writes. */
import { expect, test } from 'vitest';

import { formatLine, formatList } from '../../src/multistream/line.ts';
import { pages, rowsOf } from './markdown.ts';

const page = pages().find(({ file }) => file === 'docs/multistream.md');

test('every line in the table has the bytes that the code writes', () => {
  const rows = page ? rowsOf(page, 'line') : [];
  const hex = rows.map((cells) => (cells[1] ?? '').replaceAll(/[` ]/g, ''));
  const lines = [
    ...['/multistream/1.0.0', '/a', '/a', 'na', 'ls'].map(formatLine),
    formatList(['/a', '/bb']),
  ];
  expect(hex).toEqual(lines.map((line) => line.toString('hex')));
});
