/** What the documentation names exists: files, options, events, error codes, scripts. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { apiDocs } from '../../scripts/api-docs.ts';
import { pages, ROOT, rowsOf } from './markdown.ts';

const all = pages();
const page = (file: string) => {
  const found = all.find((one) => one.file === file);
  if (!found) throw new Error(`there is no ${file}`);
  return found;
};
const api = page('docs/api.md');

/** First names in backticks or quotes of the first cells of all tables under a heading. */
function named(file: string, heading: string): string[] {
  return rowsOf(page(file), heading).flatMap(([first = '']) =>
    [...first.matchAll(/`'?([\w.]+)'?(?:\([^`]*)?`|'(\w+)'/g)].map(
      ([, ticked, quoted]) => ticked ?? quoted ?? '',
    ),
  );
}

test('docs/api.md is what the doc comments say (npm run docs)', () => {
  expect(api.text).toBe(apiDocs());
});

const options = new Set(named('docs/api.md', 'field'));
const events = new Set(named('docs/api.md', 'event'));

describe.each([
  'README.md',
  'docs/resume.md',
  'docs/yamux.md',
  'docs/revdial.md',
  'docs/multistream.md',
])('%s', (file) => {
  test('names options that there are', () => {
    const names = named(file, 'option').map((name) => name.split('.').at(-1));
    expect(names.length).toBeGreaterThan(0);
    expect(
      names.filter(
        (name) => !options.has(name ?? '') && name !== 'dial' && name !== 'WsConnAdapter',
      ),
    ).toEqual([]);
  });
});

test('README.md names events that there are', () => {
  const names = named('README.md', 'event');
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !events.has(name))).toEqual([]);
});

/** All that the code says. */
const sources = execFileSync('git', ['ls-files', 'src/*.ts', 'wsconn/src/*.ts'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
  .join('\n');

/** Codes that come from Node as they are. */
const ofNode = new Set([
  ...Object.keys(os.constants.errno),
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'ERR_INVALID_URL',
]);

test.each(all.map((one) => [one.file, one] as const))(
  'the error codes of %s exist',
  (_, { prose }) => {
    const codes = [...prose.matchAll(/`(E[A-Z]{3,}|ERR_[A-Z_]+|ABORT_ERR)`/g)].map(
      ([, code = '']) => code,
    );
    expect(codes.filter((code) => !sources.includes(`'${code}'`) && !ofNode.has(code))).toEqual([]);
  },
);

test('every error code of the package is explained in README.md and docs/api.md', () => {
  const [, union = ''] =
    /export type WsConnErrorCode =([^;]*);/.exec(
      readFileSync(path.join(ROOT, 'src/base/errors.ts'), 'utf8'),
    ) ?? [];
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(4);
  for (const file of ['README.md', 'docs/api.md']) {
    expect(named(file, 'code')).toEqual(expect.arrayContaining(codes));
  }
});

test.each(all.map((one) => [one.file, one] as const))(
  'the files that %s names exist',
  (_, { file, text }) => {
    if (file === 'CHANGELOG.md') return; // It tells of what was.
    const named = [
      ...text.matchAll(/`((?:src|test|wsconn|examples|bench|docs|scripts|\.ci)\/[a-z0-9./-]+)`/g),
    ];
    const missing = named
      .map(([, name = '']) => name)
      .filter((name) => !existsSync(path.join(ROOT, name)));
    expect(missing).toEqual([]);
  },
);

test.each(all.map((one) => [one.file, one] as const))(
  'the scripts that %s runs exist',
  (_, { file, text }) => {
    if (file === 'CHANGELOG.md') return;
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const run = [
      ...text.matchAll(/(?:^|[`&] ?)npm (?:run )?(start|test|(?<=npm run )[\w:]+)/gm),
    ].map(([, name = '']) => name);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
  },
);
