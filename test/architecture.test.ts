import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

const MOST_LINES = 300;
const MOST_FILES = 14;

const root = path.join(import.meta.dirname, '..');

/** Returns the files below a folder, by their paths from the root. */
function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tsbuildinfo'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .toSorted();
}

function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** Returns the files that a file imports by a relative path, whether values or types. */
function importsOf(file: string): string[] {
  const text = textOf(file);
  return [
    ...text.matchAll(/^(?:import|export|\}).*\bfrom '(\.[^']+)';$/gm),
    ...text.matchAll(/\bimport(?:\(| )'(\.[^']+)'/g),
  ].map(([, specifier]) => path.join(path.dirname(file), String(specifier)));
}

/** Returns the circles of a graph, each as the nodes on the way round. */
function circles(nodes: readonly string[], next: (node: string) => readonly string[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, way: readonly string[]): void => {
    const start = way.indexOf(node);
    if (start !== -1) found.push([...way.slice(start), node].join(' -> '));
    if (start !== -1 || done.has(node)) return;
    for (const following of next(node)) visit(following, [...way, node]);
    done.add(node);
  };
  for (const node of nodes) visit(node, []);
  return found;
}

test('a circle is found, and a node that is reached twice is none', () => {
  const graph: Readonly<Record<string, string[]>> = {
    a: ['b', 'c'],
    b: ['d'],
    c: ['d'],
    d: ['e'],
    e: ['c'],
  };
  expect(circles(Object.keys(graph), (node) => graph[node] ?? [])).toEqual(['d -> e -> c -> d']);
});

describe.for(['src', 'wsconn/src'])('%s', (folder) => {
  const files = filesBelow(folder);

  test('has files whose imports can be read', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(files.length);
    const unknown = files.flatMap(importsOf).filter((file) => !files.includes(file));
    expect(unknown).toEqual([]);
  });

  test('has no import circle', () => {
    expect(circles(files, importsOf)).toEqual([]);
  });

  test(`has no file of more than ${String(MOST_LINES)} lines`, () => {
    const long = files
      .map((file) => ({ file, lines: textOf(file).trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MOST_LINES);
    expect(long).toEqual([]);
  });
});

test.for(['src', 'wsconn/src', 'test', 'wsconn/test', 'examples', 'bench'])(
  `%s has no folder of more than ${String(MOST_FILES)} files`,
  (folder) => {
    const counts = new Map<string, number>();
    for (const file of filesBelow(folder)) {
      const parent = path.dirname(file);
      counts.set(parent, (counts.get(parent) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > MOST_FILES)).toEqual([]);
  },
);
