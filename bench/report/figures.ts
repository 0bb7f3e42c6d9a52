import type { Spread } from '../parts/statistics.ts';
import type { ResultAim } from './results.ts';

/** Three digits, or whole numbers. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** The median, and the lowest and highest behind it. */
export function spreadText({ median, min, max }: Spread): string {
  return `${figure(median)} (${figure(min)} to ${figure(max)})`;
}

/** The bound of an aim, as in "at least 0.85". */
export function bound({ atLeast, atMost, of }: ResultAim, unit: string): string {
  const end = of === 'difference' ? ` ${unit} more` : ' times';
  const bounds = [
    atLeast === undefined ? [] : [`at least ${String(atLeast)}`],
    atMost === undefined ? [] : [`at most ${String(atMost)}`],
  ].flat();
  return `${bounds.join(', ')}${end}`;
}
