import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a target may have left behind in bytes, over all of its inputs but the first. */
const LIMIT = 32 * 1_048_576;

/** Looks at how much memory is in use after inputs, and again after many more. */
export interface MemoryWatch {
  /** Called after some inputs; the first call sets the mark. */
  look(): void;
  /** Returns how much more there is at the end than there was at the mark. */
  grown(): { readonly broken: boolean; readonly text: string };
}

/** Collects garbage at once, whatever the options of the process are. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function used(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

export function memoryWatch(): MemoryWatch {
  let mark: number | undefined;
  return {
    look: () => {
      mark ??= used();
    },
    grown: () => {
      const more = mark === undefined ? 0 : used() - mark;
      const text = `${(more / 1_048_576).toFixed(1)} MiB more in use than at its start`;
      return { broken: more > LIMIT, text };
    },
  };
}
