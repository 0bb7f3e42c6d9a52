import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

import { Admission, type AdmissionRules } from '../admit/admission.ts';
import { type AuthValues, checkAuth, tokenSource } from '../admit/auth.ts';
import type { Failures } from '../admit/failure-counts.ts';
import { SlowRefusals } from '../admit/slow-refusals.ts';
import { watchConnections } from '../admit/watch-connections.ts';
import { isInherited, type Place } from '../console/place.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import { answerRequests, Health } from '../endpoint/http-answers.ts';
import { createEndpoint } from '../endpoint/http-endpoint.ts';
import { tlsFiles } from '../endpoint/tls-files.ts';
import type { Log } from '../log/log.ts';
import type { Reread } from '../options/command.ts';
import type { CommonName, Values } from '../options/options.ts';
import { reloadValues } from '../options/reload-values.ts';
import type { Targets } from '../target/targets.ts';
import { Reloader } from './reloader.ts';
import { checkWorkers, LIVE_OPTIONS, readSettings, type ServeName } from './serve-options.ts';
import { makeTargetDialer } from './server/target-dialer.ts';
import { TunnelServer } from './server/tunnel-server.ts';

export type ServeValues = Values<ServeName | CommonName>;

/** What serves WebSockets, whoever listens for it and signals to it. */
export interface Service {
  readonly endpoint: HttpServer | HttpsServer;
  readonly server: TunnelServer;
  readonly targets: () => Targets;
  readonly drain: number;
  readonly lameDuck: number;
  /** Checks the address that a handed over socket turns out to have. */
  checkInherited(real: Place): void;
  /** New connections get 503 from now on. */
  onStopping(): void;
  /** Lets connections finish, then cuts the rest; returns how many those were. */
  stop(): Promise<number>;
  /** Reads all files again. */
  reload(): Promise<void>;
}

/** What is different for a worker. */
export interface WorkerPart {
  /** Where wrong tokens are counted. */
  readonly failures: Failures;
  /** Where it logs what it reads again, as all others do. */
  readonly reloads: Log;
}

/** Makes what serves WebSockets. */
export async function makeService(
  values: ServeValues,
  log: Log,
  reread: Reread<ServeName | CommonName> | undefined,
  worker?: WorkerPart,
): Promise<Service> {
  const settings = readSettings(values);
  const { place, allowConnect, proxies, proxyProtocol, targets, path, workers } = settings;
  let { drain, lameDuck } = settings;
  const { reloads = log, failures } = worker ?? {};
  // The primary process has read them too, and warned.
  const secretFiles = new SecretFiles(worker ? log.atLeast('error') : log);
  const reloader = new Reloader(reloads);
  const files = tlsFiles(values, secretFiles);
  const mutual = files?.mutual ?? false;
  if (!isInherited(place)) checkAuth(values, place, mutual);
  const room = (): number => server.waitingRoom;
  const openTokens = makeOpenTokens(secretFiles, room, reloads);
  let tokens = await openTokens(values, targets);
  const endpoint = createEndpoint({ tls: await files?.read(), mutual });
  if (files) {
    await reloader.add({
      paths: files.paths,
      make: () => files.read(),
      // For handshakes from then on.
      remade: (context) => {
        (endpoint as HttpsServer).setSecureContext(context);
      },
    });
  }
  watchConnections(endpoint, proxies, log);
  const rules = { targets, path, checkToken: tokens.checkToken };
  const refusals = new SlowRefusals(room, failures && { failures, processes: workers });
  const admission = new Admission(rules, refusals);
  const health = new Health();
  answerRequests(endpoint, health);
  const dialer = makeTargetDialer(admission, { proxyProtocol, allowConnect });
  const server: TunnelServer = new TunnelServer(endpoint, {
    ...settings.options,
    admission,
    dialer,
    log,
  });
  /** Where it listens, once that is known of a socket that it was handed. */
  let reachable = isInherited(place) ? undefined : place;
  const reload =
    reread &&
    reloadValues(reloads, {
      started: values,
      reread,
      live: LIVE_OPTIONS,
      apply: async (changed) => {
        const next = readSettings(changed);
        const nextMutual = tlsFiles(changed, secretFiles)?.mutual ?? false;
        if (!isInherited(next.place)) checkAuth(changed, next.place, nextMutual);
        // Where it listens now counts too: that stays until a restart.
        if (reachable) checkAuth(changed, reachable, mutual);
        const nextTokens = await openTokens(changed, next.targets);
        tokens.reloader.stop();
        tokens = nextTokens;
        admission.rules = { ...next, checkToken: tokens.checkToken };
        server.settings = next.options;
        ({ drain, lameDuck } = next);
      },
    });
  return {
    endpoint,
    server,
    targets: () => admission.targets,
    get drain() {
      return drain;
    },
    get lameDuck() {
      return lameDuck;
    },
    checkInherited: (real) => {
      checkAuth(values, real, mutual);
      reachable = real;
    },
    onStopping: () => {
      health.stopping = true;
      server.refuseNew();
    },
    stop: () => server.drain(drain),
    reload: async () => {
      await reloader.reload();
      if (!(await reload?.())) await tokens.reloader.reload();
    },
  };
}

/** The tokens, and what reads them again. */
interface Tokens {
  readonly reloader: Reloader;
  readonly checkToken: AdmissionRules['checkToken'];
}

/** Returns what reads the tokens that the options name. */
function makeOpenTokens(files: SecretFiles, room: () => number, log: Log) {
  return async (values: AuthValues, targets: Targets): Promise<Tokens> => {
    const reloader = new Reloader(log);
    const source = tokenSource(values, files, targets, room);
    return { reloader, checkToken: source && (await reloader.add(source)) };
  };
}

/** What the log adds when a signal stops it. */
export function stoppingIn(drain: number): string {
  return `; open ones may finish within ${String(drain / 1000)} s`;
}

/** Checks the values as `makeService()` does, and does nothing else. */
export async function checkServe(values: ServeValues, log: Log): Promise<void> {
  const secretFiles = new SecretFiles(log);
  const settings = readSettings(values);
  const { place, targets } = settings;
  checkWorkers(values, settings);
  const files = tlsFiles(values, secretFiles);
  if (!isInherited(place)) checkAuth(values, place, files?.mutual ?? false);
  await tokenSource(values, secretFiles, targets, () => 0)?.make();
  await files?.read();
}
