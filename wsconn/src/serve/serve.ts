import type { Server as HttpsServer } from 'node:https';

import { Admission, type AdmissionRules } from '../admit/admission.ts';
import { type AuthValues, checkAuth, tokenSource } from '../admit/auth.ts';
import { SlowRefusals } from '../admit/slow-refusals.ts';
import { watchConnections } from '../admit/watch-connections.ts';
import type { Log } from '../log/log.ts';
import { isInherited } from '../console/place.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import { defineCommand } from '../options/command.ts';
import { reloadValues } from '../options/reload-values.ts';
import type { Targets } from '../target/targets.ts';
import { runServer } from '../tunnel/run-server.ts';
import { makeTargetCheck } from './check-targets.ts';
import { answerRequests, Health } from '../endpoint/http-answers.ts';
import { createEndpoint } from '../endpoint/http-endpoint.ts';
import { Reloader } from './reloader.ts';
import { LIVE_OPTIONS, readSettings, SERVE_OPTIONS } from './serve-options.ts';
import { makeTargetDialer } from './target-dialer.ts';
import { tlsFiles } from '../endpoint/tls-files.ts';
import { TunnelServer } from './tunnel-server.ts';

export const serve = defineCommand<keyof typeof SERVE_OPTIONS>({
  name: 'serve',
  usage: '--listen HOST:PORT --to HOST:PORT [OPTIONS]',
  summary: 'forwards each WebSocket to a fixed TCP target',
  details: [
    'Run it beside the target, such as an SSH server, behind any load balancer.',
    'GET /healthz gets 200, and 503 when it stops; other plain requests get 426.',
    'Certificates and tokens are read again when their files change, and at SIGHUP.',
  ],
  options: SERVE_OPTIONS,
  examples: [
    'wsconn serve --listen 127.0.0.1:8080 --to 127.0.0.1:22',
    'wsconn serve --listen :443 --to ssh=:22 --to db=127.0.0.1:5432 \\',
    '    --tls-cert chain.pem --tls-key key.pem --token-file token',
    "wsconn serve --listen 127.0.0.1:8080 --allow-connect '*.example.org:443'",
  ],
  timed: true,
  async check(values, log) {
    const secretFiles = new SecretFiles(log);
    const { place, targets } = readSettings(values);
    const files = tlsFiles(values, secretFiles);
    if (!isInherited(place)) checkAuth(values, place, files?.mutual ?? false);
    await tokenSource(values, secretFiles, targets, () => 0)?.make();
    await files?.read();
  },
  async run(values, log, reread) {
    const settings = readSettings(values);
    const { place, adminPlace, allowConnect, proxies, proxyProtocol, targets, path } = settings;
    let { drain, lameDuck } = settings;
    const secretFiles = new SecretFiles(log);
    const reloader = new Reloader(log);
    const files = tlsFiles(values, secretFiles);
    const mutual = files?.mutual ?? false;
    if (!isInherited(place)) checkAuth(values, place, mutual);
    // Half of the places are for those that need not wait.
    const room = (): number => Math.floor(server.freePlaces / 2);
    const openTokens = makeOpenTokens(secretFiles, room, log);
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
    const admission = new Admission(rules, new SlowRefusals(room));
    const health = new Health();
    answerRequests(endpoint, health);
    const dialer = makeTargetDialer(admission, { proxyProtocol, allowConnect });
    const server: TunnelServer = new TunnelServer(endpoint, {
      ...settings.options,
      admission,
      dialer,
      log,
    });
    const currentTargets = (): Targets => admission.targets;
    const observer =
      adminPlace &&
      // What serves figures is loaded where it is asked for.
      (await import('./figures.ts')).watchServer(server, currentTargets, {
        place: adminPlace,
        checkTargets: makeTargetCheck(currentTargets, proxyProtocol),
        log,
      });
    /** Where it listens, once that is known of a socket that it was handed. */
    let reachable = isInherited(place) ? undefined : place;
    const reload =
      reread &&
      reloadValues(log, {
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
    const scheme = files ? 'wss' : 'ws';
    const forwardsTo = [String(targets), String(allowConnect)].filter(Boolean).join(', ');
    return runServer(log, {
      listeners: [
        {
          server: endpoint,
          place,
          checkInherited: (real) => {
            checkAuth(values, real, mutual);
            reachable = real;
          },
          listening: (address) => `${scheme}://${address}${path ?? ''}, forwards to ${forwardsTo}`,
        },
      ],
      observer,
      get stopping() {
        return `; open ones may finish within ${String(drain / 1000)} s`;
      },
      get lameDuck() {
        return lameDuck;
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
    });
  },
});

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
