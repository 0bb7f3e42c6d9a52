import { WriteRun } from '../../src/base/write-run.ts';

/** Returns the bytes as a run that is taken in pieces. */
export function runOf(chunk: Buffer): WriteRun {
  const run = new WriteRun();
  run.start([{ chunk }]);
  return run;
}
