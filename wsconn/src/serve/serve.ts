import { makeTargetCheck } from '../admin/check-targets.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import { tlsFiles } from '../endpoint/tls-files.ts';
import { defineCommand } from '../options/command.ts';
import { runServer } from '../tunnel/run-server.ts';
import { workerNumber } from '../workers/worker-number.ts';
import { checkWorkers, readSettings, SERVE_OPTIONS, type ServeName } from './serve-options.ts';
import { checkServe, makeService, stoppingIn } from './service.ts';

export const serve = defineCommand<ServeName>({
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
  check: checkServe,
  async run(values, log, reread) {
    const settings = readSettings(values);
    const { place, adminPlace, allowConnect, proxyProtocol, targets, path, workers } = settings;
    checkWorkers(values, settings);
    const number = workerNumber();
    if (number !== undefined) {
      const { runWorker } = await import('./run-worker.ts');
      return runWorker(number, values, log, reread);
    }
    const scheme = tlsFiles(values, new SecretFiles(log)) ? 'wss' : 'ws';
    const forwardsTo = [String(targets), String(allowConnect)].filter(Boolean).join(', ');
    const listening = (address: string): string =>
      `${scheme}://${address}${path ?? ''}, forwards to ${forwardsTo}`;
    if (workers > 1) {
      // Each worker reads the same: what is wrong with it is said once.
      await checkServe(values, log);
      const { runPrimary } = await import('./run-primary.ts');
      return runPrimary(values, log, reread, listening);
    }
    const service = await makeService(values, log, reread);
    const admin =
      adminPlace &&
      // What serves figures is loaded where it is asked for.
      (await Promise.all([import('./figures.ts'), import('../admin/admin-server.ts')]));
    const observer =
      admin &&
      new admin[1].AdminServer({
        place: adminPlace,
        registry: admin[0].countServer(service.server, service.targets),
        checkTargets: makeTargetCheck(service.targets, proxyProtocol),
        log,
      });
    return runServer(log, {
      listeners: [
        {
          server: service.endpoint,
          place,
          checkInherited: (real) => {
            service.checkInherited(real);
          },
          listening,
        },
      ],
      observer,
      get stopping() {
        return stoppingIn(service.drain);
      },
      get lameDuck() {
        return service.lameDuck;
      },
      onStopping: () => {
        service.onStopping();
      },
      stop: () => service.stop(),
      reload: () => service.reload(),
    });
  },
});
