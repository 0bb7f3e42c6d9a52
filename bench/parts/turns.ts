import { median } from './median.ts';
import { pins } from './side.ts';

/** Rounds that count. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
/** Rounds that do not: Node compiles what runs often, and does it again when other cases run. */
const WARM_UPS = 8;

/** What is measured in turns; the first of them is the one to compare with. */
interface Named {
  readonly name: string;
}

/** Says how it is measured, as the first line of what is printed. */
export function printHead(): void {
  const placed = pins ? 'one core a side' : 'not pinned';
  console.log(
    `Node ${process.version}, medians of ${String(ROUNDS)} rounds, ${placed}; and the first as a multiple of each, with lowest and highest`,
  );
}

/**
 * Measures all in turns, so that the noise of the machine hits all alike, and prints the median of
 * each. What to quote are the ratios to the first: the median of those of all rounds, each within
 * its round.
 */
export async function compare<T extends Named>(
  title: string,
  unit: string,
  all: readonly T[],
  measure: (one: T) => Promise<number>,
): Promise<void> {
  console.log(`\n${title}, ${unit}`);
  const figures = new Map(all.map(({ name }) => [name, [] as number[]]));
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    // There and back, so that nobody always follows the same one.
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      const figure = await measure(one);
      if (round >= 0) figures.get(one.name)?.push(figure);
    }
  }
  const first = figures.get(all[0]?.name ?? '') ?? [];
  for (const [name, own] of figures) print(name, own, first);
}

function print(name: string, figures: readonly number[], first: readonly number[]): void {
  const figure = median(figures);
  const shown = figure.toFixed(figure < 100 ? 1 : 0).padStart(8);
  const ratios = figures.map((one, round) => (first[round] ?? NaN) / one);
  const [middle, least, most] = [median(ratios), Math.min(...ratios), Math.max(...ratios)].map(
    (ratio) => ratio.toFixed(2),
  );
  const compared =
    figures === first ? '' : `${String(middle)} x (${String(least)} to ${String(most)})`;
  console.log(`  ${name.padEnd(24)}${shown}   ${compared}`.trimEnd());
}
