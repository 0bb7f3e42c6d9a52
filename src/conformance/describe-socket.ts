import { allCases } from './cases.ts';
import { type Case, nameOf } from './frame/group.ts';
import type { MakePair, Subject } from './frame/subject.ts';
import { Trial } from './frame/trial.ts';
import { type ConformanceOptions, notClaimed, subjectOf } from './options.ts';

/** The functions of a test runner that the suite uses: those of node:test, vitest and mocha fit. */
export interface TestRunner {
  /** Groups tests. */
  readonly describe: (name: string, define: () => void) => unknown;
  /** Defines a test; `it.skip` defines one that is not run. Runners that take no limit ignore it. */
  readonly it: {
    (name: string, run: () => Promise<void>, timeLimit: number): unknown;
    readonly skip: (name: string, run: () => Promise<void>) => unknown;
  };
}

/**
 * Defines a test for each thing that a connected stream promises, as net.Socket does: bytes, back
 * pressure, ends, cuts, errors, races, and what `features` claims beyond. What is not claimed is
 * skipped, with the reason in the name of the test.
 *
 * Every test makes its own pair and stops it, whatever happens, so no hooks are needed. A test that
 * hangs fails at its time limit, and says what it waited for; the runner's own limit is put out of
 * the way.
 *
 * ```ts
 * import net from 'node:net';
 * import { once } from 'node:events';
 * import { describe, it } from 'node:test';
 *
 * import { describeSocket, NET_SOCKET, type PairOptions } from 'ws-conn-adapter/conformance';
 *
 * async function makePair({ signal, ...options }: PairOptions = {}) {
 *   const server = net.createServer(options).listen(0, '127.0.0.1');
 *   await once(server, 'listening');
 *   const { port } = server.address() as net.AddressInfo;
 *   const connection = once(server, 'connection');
 *   const a = net.connect({ port, host: '127.0.0.1', signal, ...options });
 *   await once(a, 'connect');
 *   const [b] = (await connection) as [net.Socket];
 *   const stop = () => {
 *     a.destroy();
 *     b.destroy();
 *     server.close();
 *   };
 *   return { a, b, stop };
 * }
 *
 * describeSocket({ describe, it }, 'net.Socket', makePair, { features: NET_SOCKET });
 * ```
 *
 * @throws TypeError where `except` names what the suite does not have
 */
export function describeSocket(
  { describe, it }: TestRunner,
  name: string,
  makePair: MakePair,
  options: ConformanceOptions = {},
): void {
  const subject = subjectOf(makePair, options);
  const groups = new Map<string, Case[]>();
  for (const one of allCases) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  describe(name, () => {
    for (const [group, cases] of groups) {
      describe(group, () => {
        for (const one of cases) {
          const reason = notClaimed(one, options);
          if (reason === undefined) it(nameOf(one), testOf(subject, one), runnerLimit(subject));
          else it.skip(`${nameOf(one)} (skipped: ${reason})`, testOf(subject, one));
        }
      });
    }
  });
}

/** Time in ms that is never over before the suite's own limits are: for the case, and for stop(). */
function runnerLimit({ timeLimit }: Subject): number {
  return 2 * timeLimit + 5_000;
}

function testOf(subject: Subject, { run }: Case): () => Promise<void> {
  return function (this: unknown) {
    // Mocha takes no limit as an argument, but has a method for it.
    const context = this as { timeout?: (ms: number) => unknown } | null | undefined;
    if (typeof context?.timeout === 'function') context.timeout(runnerLimit(subject));
    return new Trial(subject).run(run);
  };
}
