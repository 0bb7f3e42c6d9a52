import { stdout } from 'node:process';

const BAR_WIDTH = 32;
/** Time in ms between two pictures of the bar. */
const FRAME = 40;
const MIB = 1024 * 1024;

// The reader has closed the pipe (npm start | head).
stdout.on('error', () => process.exit());

const colours = stdout.isTTY && stdout.hasColors();

function paint(code: number, text: string): string {
  return colours ? `\u001b[${String(code)}m${text}\u001b[0m` : text;
}

export const bold = (text: string): string => paint(1, text);
export const dim = (text: string): string => paint(2, text);
export const green = (text: string): string => paint(32, text);
export const red = (text: string): string => paint(31, text);

export function say(text = ''): void {
  stdout.write(`${text}\n`);
}

export interface Progress {
  readonly moved: (bytes: number) => void;
}

/**
 * Shows how far `total` bytes have come: a bar on a terminal, else a line for each quarter.
 */
export function showProgress(total: number): Progress {
  const startedAt = performance.now();
  let done = 0;
  let drawnAt = 0;
  let quarters = 0;
  const line = (): string => {
    const seconds = (performance.now() - startedAt) / 1000;
    const share = done / total;
    const filled = Math.round(share * BAR_WIDTH);
    const bar = stdout.isTTY
      ? `${green('█'.repeat(filled))}${dim('░'.repeat(BAR_WIDTH - filled))} `
      : '';
    const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
    const size = `${(done / MIB).toFixed(1).padStart(5)} of ${String(total / MIB)} MiB`;
    return `   ${bar}${percent}  ${size}  ${(done / MIB / seconds).toFixed(0).padStart(4)} MiB/s`;
  };
  const drawBar = (): void => {
    const now = performance.now();
    if (now - drawnAt < FRAME && done < total) return;
    drawnAt = now;
    stdout.write(`\r${line()}${done < total ? '' : '\n'}`);
  };
  const printQuarter = (): void => {
    const reached = Math.floor((done / total) * 4);
    if (reached > quarters) say(line());
    quarters = reached;
  };
  return {
    moved: (bytes) => {
      done += bytes;
      if (stdout.isTTY) drawBar();
      else printQuarter();
    },
  };
}
