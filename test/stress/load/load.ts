/** Load: much of everything, each kind in a process of its own, with what it costs. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { BrokenPromise, type Outcome, type Part, type PartOptions } from '../part.ts';
import type { CaseMessage, CaseRequest } from './case-process.ts';
import { Broken, type CaseResult } from './case.ts';
import { cases } from './cases.ts';

/** Time in s of all cases together in which each has its full size, on a machine with nothing else. */
const FULL_SECONDS = 60;
/** Time in s that a case may take beyond its share to end what it has begun. */
const GRACE = 60;

/** Time in s that a process takes to begin and to end. */
const STARTUP = 0.7;

const script = fileURLToPath(new URL('case-process.ts', import.meta.url));

/** Runs a case in a process of its own. */
function runCase(request: CaseRequest, onProgress: (share: number) => void): Promise<CaseResult> {
  return new Promise((resolve, reject) => {
    const child = fork(script, { execArgv: ['--import', 'tsx'] });
    const limit = setTimeout(
      () => {
        child.kill('SIGKILL');
        reject(new Broken('it hangs'));
      },
      (request.seconds + GRACE) * 1000,
    );
    let outcome: CaseMessage | undefined;
    child.on('message', (message: CaseMessage) => {
      if ('progress' in message) onProgress(message.progress);
      else outcome ??= message;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      if (outcome && 'result' in outcome) resolve(outcome.result);
      else if (outcome && 'broken' in outcome) reject(new Broken(outcome.broken));
      else reject(new Broken(`its process ended with ${String(signal ?? code)}`));
    });
    child.send(request);
  });
}

export async function runLoad({ seed, seconds, onProgress }: PartOptions): Promise<Outcome> {
  const allWeight = cases.reduce((sum, { weight }) => sum + weight, 0);
  const scale = seconds / FULL_SECONDS;
  const counts: Record<string, number> = {};
  const notes: string[] = [];
  let before = 0;
  for (const { name, weight } of cases) {
    const share = weight / allWeight;
    const request = { name, seed, seconds: seconds * share - STARTUP, scale };
    const since = performance.now();
    try {
      const result = await runCase(request, (part) => {
        onProgress(before + share * Math.min(1, part));
      });
      for (const [what, count] of Object.entries(result.counts))
        counts[what] = (counts[what] ?? 0) + count;
      const took = ((performance.now() - since) / 1000).toFixed(1);
      result.notes.forEach((note, i) => {
        notes.push(i === 0 ? `${name} (${took} s): ${note}` : `  ${note}`);
      });
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw new BrokenPromise(
        `under load, case ${name}:\n${error.message}\n` +
          `again: npm run stress -- --only load --seed ${String(seed)} --seconds ${String(Math.ceil(seconds))}`,
      );
    }
    before += share;
  }
  return { counts, notes };
}

export const load: Part = {
  name: 'load',
  summary: 'thousands of connections, handshakes and streams, and slow readers',
  weight: 3,
  run: runLoad,
};
