import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

import type { Spread } from '../parts/statistics.ts';
import type { CaseResult, Results, ResultSample } from './results.ts';

const WIDTH = 860;
const MARGIN = { left: 290, right: 24, top: 10, bottom: 30 };
const ROW = 20;
/** For the title of a case, and for each line with names of its contestants. */
const TITLE = 28;
const LEGEND_LINE = 16;
/** Widest that a letter of the legend is taken to be, since fonts differ. */
const LETTER = 7;
const INTRO = 58;
/** Room beyond the outermost dots; a line that goes further is cut, so that one outlier spoils nothing. */
const MARGIN_OF_LINES = 1.5;

/** Readable on light and on dark; one for each contestant, the same in all cases. */
const COLOURS = [
  '#e8833a',
  '#4c8dd9',
  '#3ba272',
  '#d1495b',
  '#a06cd5',
  '#b8860b',
  '#1aa6a6',
  '#d66ba0',
  '#7a8b99',
  '#8a6a4f',
];

/** How often ours is as good as another, in one respect; above 1 ours is better. */
interface Dot extends Spread {
  readonly metric: string;
  readonly contestant: string;
}

function goodness({ ours, better, metric, contestant }: ResultSample): Dot[] {
  if (!ours) return [];
  const { median, min, max } = ours;
  return better === 'more'
    ? [{ metric, contestant, median, min, max }]
    : [{ metric, contestant, median: 1 / median, min: 1 / max, max: 1 / min }];
}

/** Processor time has its place in the tables: the picture would be twice as long. */
function dotsOf({ samples }: CaseResult): Dot[] {
  return samples
    .filter(({ unit }) => unit !== 's/GB')
    .flatMap(goodness)
    .filter(({ min, max }) => min > 0 && Number.isFinite(max));
}

/** Where the aims of a case lie in the picture; those of differences have no place in it. */
function aimsOf({ aims, samples }: CaseResult): { metric: string; against: string; at: number }[] {
  return aims
    .filter(({ of }) => of !== 'difference')
    .filter(({ metric, contestant }) => isOurs(samples, metric, contestant))
    .flatMap(({ metric, against, atLeast, atMost }) => {
      if (atLeast !== undefined) return [{ metric, against, at: atLeast }];
      return atMost === undefined ? [] : [{ metric, against, at: 1 / atMost }];
    });
}

function isOurs(samples: readonly ResultSample[], metric: string, contestant: string): boolean {
  return samples.find((sample) => sample.metric === metric)?.contestant === contestant;
}

/** Returns the picture of all results as SVG. */
export function picture({ cases }: Results): string {
  const all = Object.values(cases)
    .map((result) => ({ result, dots: dotsOf(result) }))
    .filter(({ dots }) => dots.length > 0);
  const dots = all.flatMap((one) => one.dots);
  const names = [...new Set(dots.map(({ contestant }) => contestant))];
  const domain = [
    Math.min(0.5, ...dots.map(({ median }) => median)) / MARGIN_OF_LINES,
    Math.max(2, ...dots.map(({ median }) => median)) * MARGIN_OF_LINES,
  ];
  let y = INTRO;
  const panels = all.map(({ result, dots: own }) => {
    const drawn = panel(result, own, { names, domain, y });
    y += drawn.height;
    return drawn.svg;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(y)}" width="${String(WIDTH)}" height="${String(y)}" font-family="system-ui, sans-serif" class="page">`,
    STYLE,
    '<rect class="paper" width="100%" height="100%"/>',
    `<text class="ink" x="16" y="26" font-size="17" font-weight="600">How many times as good ours is</text>`,
    `<text class="ink" x="16" y="46" font-size="12">Right of 1 ours is better: more MB/s, or less time or memory. Medians within rounds, lowest to highest; a tick | is an aim.</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

const STYLE = `<style>
  .page { color: #1f2328 }
  .paper { fill: #ffffff }
  .ink { fill: currentColor }
  @media (prefers-color-scheme: dark) {
    .page { color: #e6edf3 }
    .paper { fill: #0d1117 }
  }
</style>`;

/** What Plot uses of a document, without a browser; Node's types know of none. */
const DOCUMENT: object = (parseHTML('<html></html>') as { document: object }).document;

interface Drawn {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
}

const draw = Plot.plot as unknown as (options: Plot.PlotOptions) => Drawn;

interface Shared {
  readonly names: readonly string[];
  readonly domain: readonly number[];
  readonly y: number;
}

function panel(
  result: CaseResult,
  dots: readonly Dot[],
  { names, domain, y }: Shared,
): { svg: string; height: number } {
  const metrics = [...new Set(dots.map(({ metric }) => metric))];
  const colour = (contestant: string): string =>
    COLOURS[names.indexOf(contestant) % COLOURS.length] ?? '';
  const height = MARGIN.top + metrics.length * ROW + MARGIN.bottom;
  const plot = draw({
    document: DOCUMENT as never,
    width: WIDTH,
    height,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    style: { background: 'none', overflow: 'visible', fontSize: '12px' },
    x: {
      type: 'log',
      clamp: true,
      domain: [...domain],
      grid: true,
      label: null,
      tickFormat: (d: number) => String(d),
      ticks: 6,
    },
    y: { type: 'band', domain: metrics, label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([1], { strokeWidth: 1.5 }),
      Plot.ruleY([...dots], {
        y: 'metric',
        x1: 'min',
        x2: 'max',
        stroke: ({ contestant }: Dot) => colour(contestant),
        strokeOpacity: 0.45,
        strokeWidth: 3,
      }),
      Plot.tickX(aimsOf(result), {
        x: 'at',
        y: 'metric',
        stroke: ({ against }: { against: string }) => colour(against),
        strokeWidth: 2,
      }),
      Plot.dot([...dots], {
        y: 'metric',
        x: 'median',
        r: 4.5,
        fill: ({ contestant }: Dot) => colour(contestant),
      }),
    ],
  });
  const lines = legend([...new Set(dots.map(({ contestant }) => contestant))]);
  const head = TITLE + lines.length * LEGEND_LINE;
  plot.setAttribute('y', String(y + head));
  const svg = [
    `<text class="ink" x="16" y="${String(y + 20)}" font-size="14" font-weight="600">${escape(result.title)}</text>`,
    ...lines.map((line, index) => {
      const shown = line.map(
        (name) => `<tspan fill="${colour(name)}">●</tspan> ${escape(label(name))}`,
      );
      return `<text class="ink" x="16" y="${String(y + 38 + index * LEGEND_LINE)}" font-size="12" xml:space="preserve">${shown.join(GAP)}</text>`;
    }),
    plot.outerHTML,
  ].join('\n');
  return { svg, height: head + height };
}

const GAP = '   ';

function label(name: string): string {
  return `to ${name}`;
}

/** Divides the names into lines that fit. */
function legend(names: readonly string[]): readonly (readonly string[])[] {
  const most = (WIDTH - 2 * MARGIN.right) / LETTER;
  const lines: string[][] = [];
  let left = 0;
  for (const name of names) {
    const length = `● ${label(name)}${GAP}`.length;
    if (length > left) {
      lines.push([]);
      left = most;
    }
    lines.at(-1)?.push(name);
    left -= length;
  }
  return lines;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
