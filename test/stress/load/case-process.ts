/** A process that runs one case and tells its parent how it goes. Run with tsx, by fork(). */
import { Broken, type CaseResult } from './case.ts';
import { cases } from './cases.ts';

/** What the parent asks for. */
export interface CaseRequest {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly scale: number;
}

/** What it hears. */
export type CaseMessage =
  { readonly progress: number } | { readonly result: CaseResult } | { readonly broken: string };

/** Time in ms between two messages of how far it is. */
const PROGRESS_EVERY = 200;

function tell(message: CaseMessage): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, () => {
      resolve();
    });
  });
}

async function fail(error: unknown): Promise<never> {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  await tell({ broken: error instanceof Broken ? error.message : `unhandled: ${text}` });
  process.exit(1);
}

async function run({ name, seed, seconds, scale }: CaseRequest): Promise<void> {
  const one = cases.find((candidate) => candidate.name === name);
  if (!one) throw new Error(`there is no case ${name}`);
  let toldAt = 0;
  const onProgress = (progress: number): void => {
    if (performance.now() - toldAt < PROGRESS_EVERY) return;
    toldAt = performance.now();
    void tell({ progress });
  };
  await tell({ result: await one.run({ seed, seconds, scale, onProgress }) });
  process.exit(0);
}

process.on('uncaughtException', (error) => void fail(error));
process.on('unhandledRejection', (error) => void fail(error));
process.once('message', (request: CaseRequest) => {
  run(request).catch(fail);
});
