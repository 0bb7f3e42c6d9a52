import net from 'node:net';

import { AdminServer } from '../admin/admin-server.ts';
import { makeTargetCheck } from '../admin/check-targets.ts';
import { makeRegistry } from '../admin/registry.ts';
import { checkAuth } from '../admit/auth.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import { tlsFiles } from '../endpoint/tls-files.ts';
import { explain } from '../console/explain.ts';
import type { Log } from '../log/log.ts';
import type { Reread } from '../options/command.ts';
import type { CommonName } from '../options/options.ts';
import { runServer } from '../tunnel/run-server.ts';
import { SummedFigures } from '../workers/summed-figures.ts';
import { Workers } from '../workers/workers.ts';
import { readSettings, type ServeName } from './serve-options.ts';
import { checkServe, type ServeValues, stoppingIn } from './service.ts';

/**
 * Runs the primary process of `serve --workers`: it listens, shows health and figures, takes the
 * signals, and leaves all else to the workers. Returns the exit code.
 * @param listening - returns what the log says of the address that it listens on
 */
export async function runPrimary(
  values: ServeValues,
  log: Log,
  reread: Reread<ServeName | CommonName> | undefined,
  listening: (address: string) => string,
): Promise<number> {
  let settings = readSettings(values);
  const isShared = settings.options.maxConnections !== undefined;
  const { place, adminPlace, proxyProtocol } = settings;
  const mutual = tlsFiles(values, new SecretFiles(log))?.mutual ?? false;
  const workers = new Workers(settings.workers, settings.options.maxConnections, log);
  const front = net.createServer({ pauseOnConnect: true, noDelay: true }, workers.give);
  const observer =
    adminPlace &&
    new AdminServer({
      place: adminPlace,
      registry: new SummedFigures(workers, makeRegistry()),
      checkTargets: makeTargetCheck(() => settings.targets, proxyProtocol),
      log,
    });
  /** Takes over from the configuration file what is not the workers' own. */
  const takeOver = async (): Promise<void> => {
    if (!reread) return;
    const next = await reread();
    await checkServe(next, log.atLeast('error'));
    settings = readSettings(next);
    const { maxConnections } = settings.options;
    if (maxConnections !== undefined) workers.maxConnections = maxConnections;
    if (isShared === (maxConnections !== undefined)) return;
    log.warn('with workers, max-connections is divided up, or stays, until a restart');
  };
  await workers.start();
  log.info(
    `${String(settings.workers)} workers share the work: processes ${workers.pids.join(', ')}`,
  );
  return runServer(log, {
    listeners: [
      {
        server: front,
        place,
        checkInherited: (real) => {
          checkAuth(values, real, mutual);
        },
        listening,
      },
    ],
    observer,
    get stopping() {
      return stoppingIn(settings.drain);
    },
    get lameDuck() {
      return settings.lameDuck;
    },
    onStopping: () => {
      workers.tell({ type: 'stopping' });
    },
    stop: () => {
      front.close();
      return workers.stop();
    },
    reload: async () => {
      try {
        await takeOver();
      } catch (error) {
        // The workers come upon the same, and say it.
        log.debug(explain(error));
      }
      await workers.reload();
    },
  });
}
