import { explain } from '../console/explain.ts';
import { dialTarget } from '../target/dial-target.ts';
import { LOCAL_HEADER } from '../target/proxy-header.ts';
import type { Targets } from '../target/targets.ts';
import type { ReadyCheck } from './admin-server.ts';
import { GiveUp } from '../tunnel/give-up.ts';

/** Time in ms that a target has to answer. */
const TIMEOUT = 2_000;

/**
 * Makes what checks whether the targets of a server can be reached: it connects to each, and closes
 * the connection at once. Those who ask while a check is under way get its result.
 * @param proxyProtocol - whether targets expect a header of the PROXY protocol
 */
export function makeTargetCheck(targets: () => Targets, proxyProtocol: boolean): ReadyCheck {
  let running: ReturnType<ReadyCheck> | undefined;
  const check: ReadyCheck = async () => {
    const { names, unnamed } = targets();
    const all = [unnamed, ...names.map((name) => targets().named(name))];
    const results = all.flatMap((target) => {
      if (!target) return [];
      const tooLong = new GiveUp();
      const timer = setTimeout(tooLong.give, TIMEOUT);
      const dialled = dialTarget(target.place, tooLong).finally(() => {
        clearTimeout(timer);
      });
      const problem = dialled.then(
        (socket) => {
          if (proxyProtocol) socket.write(LOCAL_HEADER);
          // It may be reset, by a target that has no use for such connections.
          socket.on('error', () => undefined);
          socket.resume().end();
          return undefined;
        },
        (error: unknown) => explain(error),
      );
      return [problem.then((text) => [target.name || '(unnamed)', text] as const)];
    });
    return new Map(await Promise.all(results));
  };
  return () => {
    running ??= check().finally(() => (running = undefined));
    return running;
  };
}
