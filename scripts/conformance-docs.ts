// Writes the tables of docs/conformance.md: which promises of net.Socket each kind of stream keeps.
//
//   node --import tsx scripts/conformance-docs.ts                   writes them; takes a few minutes
//   node --import tsx scripts/conformance-docs.ts --check COLUMN    compares a column with a quick run
//
// The text above the marker is written by hand and stays. A test runs the check for each column.
import { readFileSync, writeFileSync } from 'node:fs';

import { checkSocket, type CheckOptions, type PromiseReport } from '../src/conformance/index.ts';
import { type Column, columns } from '../test/conformance/subjects.ts';

const FILE = new URL('../docs/conformance.md', import.meta.url);
const MARKER =
  '<!-- From here on this file is made by scripts/conformance-docs.ts, from runs of the suite -->\n';
const SIGNS = { kept: '✓', broken: '✗', untried: '–' } as const;
/** Time in ms that a case has when the tables are written. Of what is broken, most hangs as long. */
const WRITING = 3_000;
/** Time in ms that a case has in a check, where the promise was kept. */
const PATIENCE = 15_000;
/** Time in ms that a case has in a check, where the promise was broken. */
const IMPATIENCE = 200;

type Outcomes = ReadonlyMap<string, PromiseReport['outcome']>;

function row(first: string, cells: readonly string[]): string {
  return `| ${[first, ...cells].join(' | ')} |\n`;
}

function table(
  head: string,
  rows: readonly (readonly [first: string, cells: readonly string[]])[],
): string {
  const heads = columns.map((column) => column.head);
  return [
    `\n${row(head, heads)}`,
    row('---', Array<string>(heads.length).fill(':-:')),
    ...rows.map(([first, cells]) => row(first, cells)),
  ].join('');
}

function keyOf({ group, promise }: Pick<PromiseReport, 'group' | 'promise'>): string {
  return `${group}: ${promise}`;
}

/** Says how much of a group a stream keeps: all, none, or so many of so many. */
function summary(outcomes: readonly PromiseReport['outcome'][]): string {
  const tried = outcomes.filter((outcome) => outcome !== 'untried');
  const kept = tried.filter((outcome) => outcome === 'kept').length;
  if (tried.length === 0) return SIGNS.untried;
  return kept === tried.length ? SIGNS.kept : `${String(kept)} of ${String(tried.length)}`;
}

function tables(reports: readonly (readonly PromiseReport[])[]): string {
  const [first = []] = reports;
  const groups = [...new Set(first.map(({ group }) => group))];
  const ofGroup = (report: readonly PromiseReport[], group: string): readonly PromiseReport[] =>
    report.filter((one) => one.group === group);
  const inShort = groups.map((group) => {
    const cells = reports.map((report) =>
      summary(ofGroup(report, group).map(({ outcome }) => outcome)),
    );
    return [group, cells] as const;
  });
  const details = groups.map((group) => {
    const rows = ofGroup(first, group).map(({ promise }, i) => {
      const cells = reports.map((report) => {
        const { outcome } = ofGroup(report, group)[i] ?? { outcome: 'untried' };
        return SIGNS[outcome];
      });
      return [promise, cells] as const;
    });
    return `\n### ${group}\n${table('promise', rows)}`;
  });
  return [
    `\nWritten with Node ${nodeMajor()}.\n`,
    '\n## In short\n',
    table('about', inShort),
    '\n## Promise by promise\n',
    ...details,
  ].join('');
}

function nodeMajor(): string {
  return process.versions.node.split('.')[0] ?? '';
}

async function write(): Promise<void> {
  const reports: (readonly PromiseReport[])[] = [];
  for (const { makePair, options } of columns) {
    const { promises } = await checkSocket(makePair, { ...options, timeLimit: WRITING });
    reports.push(promises);
  }
  const byHand = readFileSync(FILE, 'utf8').split(MARKER, 1)[0] ?? '';
  writeFileSync(FILE, `${byHand}${MARKER}${tables(reports)}`);
}

/** Reads what a column of the page says. */
function documented(nth: number): Outcomes {
  const outcomes = new Map<string, PromiseReport['outcome']>();
  let group = '';
  for (const line of readFileSync(FILE, 'utf8').split('\n')) {
    if (line.startsWith('### ')) group = line.slice(4);
    const [, promise = '', ...cells] = line.split('|').map((cell) => cell.trim());
    const sign = cells[nth];
    const outcome = (['kept', 'broken', 'untried'] as const).find((one) => SIGNS[one] === sign);
    if (outcome && group !== '') outcomes.set(keyOf({ group, promise }), outcome);
  }
  return outcomes;
}

/** Runs what was kept with patience, and the rest with little; returns what is not as documented. */
async function differences({ makePair, options }: Column, page: Outcomes): Promise<string[]> {
  const isKept = (one: Pick<PromiseReport, 'group' | 'promise'>): boolean =>
    page.get(keyOf(one)) === 'kept';
  const runs: readonly Pick<CheckOptions, 'only' | 'timeLimit'>[] = [
    { only: isKept, timeLimit: PATIENCE },
    { only: (one) => !isKept(one), timeLimit: IMPATIENCE },
  ];
  const found: string[] = [];
  const seen = new Set<string>();
  for (const run of runs) {
    const { promises } = await checkSocket(makePair, { ...options, ...run });
    for (const one of promises) {
      const key = keyOf(one);
      const said = page.get(key);
      seen.add(key);
      if (said !== one.outcome) {
        found.push(`${key}: ${one.outcome}, documented as ${String(said)}\n${one.why.join('\n')}`);
      }
    }
  }
  const gone = [...page.keys()].filter((key) => !seen.has(key));
  return [...found, ...gone.map((key) => `${key}: documented, but not in the suite`)];
}

async function check(head: string): Promise<void> {
  const nth = columns.findIndex((column) => column.head === head);
  const column = columns[nth];
  if (!column) throw new Error(`there is no column ${head}`);
  const found = await differences(column, documented(nth));
  for (const line of found) process.stderr.write(`${line}\n`);
  if (found.length > 0) process.exitCode = 1;
}

const [mode, head] = process.argv.slice(2);
await (mode === '--check' ? check(head ?? '') : write());
// Streams that broke a promise may hold the process.
process.exit();
