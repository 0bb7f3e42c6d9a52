import { bound, figure, spreadText } from './figures.ts';
import type { CaseResult, Machine, Profile, Results, ResultSample } from './results.ts';

const START = '<!-- What follows is made from bench/results.json: npm run bench -- --report -->';
const END = '<!-- End of what is made. -->';

/** Returns the text of docs/benchmarks.md with all that is made of the results. */
export function withTables(text: string, results: Results): string {
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`docs/benchmarks.md needs the lines ${START} and ${END}`);
  }
  return `${before}${START}\n\n${tables(results)}\n${END}${after}`;
}

/** Returns the machine, the aims, and the figures of all cases, as Markdown. */
export function tables({ cases, profiles }: Results): string {
  const all = Object.entries(cases);
  return [
    '## The machine\n',
    ...machineLines(all),
    '\n## Aims\n',
    ...aimLines(all),
    ...all.flatMap(([name, result]) => caseLines(name, result)),
    '\n## Where the time goes\n',
    ...profileLines(Object.values(profiles)),
    '',
  ].join('\n');
}

type Entries = readonly (readonly [string, CaseResult])[];

function machineText({ cpu, cores, memoryGiB, platform, node, ws, pinned }: Machine): string {
  const placed = pinned ? 'a core for each side' : 'sides not pinned';
  return `${cpu}, ${String(cores)} cores, ${String(memoryGiB)} GiB, ${platform}; Node ${node}, ws ${ws}; ${placed}`;
}

function machineLines(all: Entries): string[] {
  const runs = new Map<string, string[]>();
  for (const [name, { machine, date, quick }] of all) {
    const look = quick ? ' (`--quick`: a look, nothing to quote)' : '';
    const text = `${machineText(machine)}; ${date}${look}`;
    runs.set(text, [...(runs.get(text) ?? []), name]);
  }
  return [...runs].map(([text, names]) => `- ${text}: ${names.join(', ')}`);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}

function aimLines(all: Entries): string[] {
  const rows = all.flatMap(([name, { aims, samples }]) =>
    aims.map((aim) => {
      const unit = samples.find(({ metric }) => metric === aim.metric)?.unit ?? '';
      return [
        name,
        aim.metric,
        `${aim.contestant} to ${aim.against}`,
        bound(aim, unit),
        spreadText(aim.reached),
        aim.met ? 'met' : '**not met**',
      ];
    }),
  );
  return table(['case', 'what', 'who', 'aim', 'reached', ''], rows);
}

function caseLines(name: string, { title, samples }: CaseResult): string[] {
  const contestants = [...new Set(samples.map(({ contestant }) => contestant))];
  const metrics = [...new Set(samples.map(({ metric }) => metric))];
  const rows = metrics.map((metric) => {
    const own = samples.filter((sample) => sample.metric === metric);
    const [first] = own;
    return [
      metric,
      first ? `${first.unit}, ${first.better === 'more' ? '↑' : '↓'}` : '',
      ...contestants.map((one) => cell(own.find(({ contestant }) => contestant === one))),
    ];
  });
  return [
    `\n## ${title}\n`,
    `\`npm run bench -- --only ${name}\`\n`,
    ...table(['', '', ...contestants], rows),
  ];
}

function cell(sample: ResultSample | undefined): string {
  if (!sample) return '';
  const compared = sample.ours ? ` · ${figure(sample.ours.median)}` : '';
  return `${figure(sample.median)}${compared}`;
}

const PROFILE_INTRO = `Percent of the processor time of one end of a transfer, by whose code runs: a look at it every 250 µs. Native code is
what Node does outside of JavaScript, system calls for the most part. The last column is from the kernel's own account, and
a part of the others: it has page faults too, wherever they happen. \`npm run bench -- --profile bulk,small-writes\`
`;

function profileLines(all: readonly Profile[]): string[] {
  if (all.length === 0) return ['Not measured.'];
  const rows = all.flatMap(({ title, rows: own }) =>
    own.map(({ contestant, end, native, node, garbage, ws, ours, bench, kernel }) => [
      `${title}, ${contestant}, ${end}`,
      ...[native, node, garbage, ws, ours, bench, kernel].map(String),
    ]),
  );
  const lines = table(
    [
      'percent',
      'native code and system calls',
      "Node's JavaScript",
      'garbage collection',
      'ws',
      'ours',
      'the benchmark',
      'of all, in the kernel',
    ],
    rows,
  );
  return [PROFILE_INTRO, ...lines];
}
