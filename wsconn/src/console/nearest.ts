/** Share of a word's letters that may differ in a typing error. */
const ERRORS_PER_LETTER = 1 / 3;

/**
 * Returns the candidate that a mistyped word most likely meant, or undefined where none is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(word.length * ERRORS_PER_LETTER)) + 1;
  for (const candidate of candidates) {
    // A word that was cut short has no typing error at all.
    const errors = word.length > 1 && candidate.startsWith(word) ? 0 : distance(word, candidate);
    if (errors < fewest) {
      best = candidate;
      fewest = errors;
    }
  }
  return best;
}

/**
 * Counts the letters to insert, delete, replace or swap with their neighbour (Damerau–Levenshtein,
 * restricted).
 */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, at(beforeLast, j - 2) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
