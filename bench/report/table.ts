import { bound, figure, spreadText } from './figures.ts';
import type { CaseResult, ResultSample } from './results.ts';

/** Returns the figures of a case for a terminal. */
export function caseTable({ title, samples, aims }: CaseResult): string {
  const lines = [`\n${title}; medians, lowest to highest`];
  for (const metric of new Set(samples.map((sample) => sample.metric))) {
    const own = samples.filter((sample) => sample.metric === metric);
    lines.push(
      `  ${metric}, ${own[0]?.unit ?? ''} (${own[0]?.better ?? ''} is better; rounds: ${String(own[0]?.rounds ?? 0)})`,
    );
    lines.push(...own.map(sampleLine));
  }
  for (const aim of aims) {
    const unit = samples.find(({ metric }) => metric === aim.metric)?.unit ?? '';
    lines.push(
      `  ${aim.met ? 'met    ' : 'not met'} ${aim.metric}: ${aim.contestant} to ${aim.against} ${spreadText(aim.reached)}, aim ${bound(aim, unit)}`,
    );
  }
  return lines.join('\n');
}

function sampleLine({ contestant, median, min, max, ours }: ResultSample): string {
  const range = `${figure(min)} to ${figure(max)}`;
  const compared = ours ? `ours ${spreadText(ours)} times` : '';
  return `    ${contestant.padEnd(40)}${figure(median).padStart(9)}   ${range.padEnd(20)} ${compared}`.trimEnd();
}
