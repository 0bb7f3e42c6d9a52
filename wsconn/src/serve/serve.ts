import type { Server as HttpsServer } from 'node:https';

import { createServer } from 'ws-conn-adapter';

import { Admission } from '../admit/admission.ts';
import { AUTH_OPTIONS, checkAuth, tokenSource } from '../admit/auth.ts';
import { SlowRefusals } from '../admit/slow-refusals.ts';
import { PROXY_OPTION, readTrustedProxies } from '../admit/trusted-proxies.ts';
import { watchConnections } from '../admit/watch-connections.ts';
import { usageFailure } from '../console/failure.ts';
import { parseListen } from '../console/place.ts';
import { showGiven } from '../console/secrets.ts';
import { KEEPALIVE_OPTION } from '../dial/dialer.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import { defineCommand } from '../options/command.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import { makeTargetDialer } from './target-dialer.ts';
import { readTargets, TARGET_OPTION } from '../target/targets.ts';
import { runServer } from '../tunnel/run-server.ts';
import { answerRequests, Health } from './http-answers.ts';
import { createEndpoint } from './http-endpoint.ts';
import { Reloader } from './reloader.ts';
import { TLS_OPTIONS, tlsFiles } from './tls-files.ts';
import { TunnelServer } from './tunnel-server.ts';

const OPTIONS = {
  listen: { value: 'HOST:PORT', help: 'where to accept WebSockets, or unix:/PATH' },
  ...TARGET_OPTION,
  path: { value: 'PATH', help: 'path that requests must have (default any)' },
  protocol: {
    value: 'NAME',
    multiple: true,
    help: 'subprotocol to answer to, such as mqtt or binary; may be given more than once',
  },
  'allow-origin': {
    value: 'ORIGIN',
    multiple: true,
    help: "web pages to let in, by their origin https://HOST, or '*'; may be given more than once",
  },
  ...TLS_OPTIONS,
  ...AUTH_OPTIONS,
  ...PROXY_OPTION,
  'max-connections': {
    value: 'NUMBER',
    help: 'most at once; others get 503 (default no limit)',
  },
  'max-streams': {
    value: 'NUMBER',
    default: '1024',
    help: 'most connections at once of one client with --mux',
  },
  'max-payload': { value: 'BYTES', help: 'largest message to take (default 1 MiB)' },
  ...KEEPALIVE_OPTION,
  drain: {
    value: 'SECONDS',
    default: '20',
    help: 'time to finish after SIGTERM or Ctrl-C',
  },
  'lame-duck': {
    value: 'SECONDS',
    default: '0',
    help: 'time before that in which health checks and new connections get 503',
  },
} as const satisfies OptionSpecs;

export const serve = defineCommand<keyof typeof OPTIONS>({
  name: 'serve',
  usage: '--listen HOST:PORT --to HOST:PORT [OPTIONS]',
  summary: 'forwards each WebSocket to a fixed TCP target',
  details: [
    'Run it beside the target, such as an SSH server, behind any load balancer.',
    'GET /healthz gets 200, and 503 when it stops; other plain requests get 426.',
    'Certificates and tokens are read again when their files change, and at SIGHUP.',
  ],
  options: OPTIONS,
  examples: [
    'wsconn serve --listen 127.0.0.1:8080 --to 127.0.0.1:22',
    'wsconn serve --listen :443 --to ssh=:22 --to db=127.0.0.1:5432 \\',
    '    --tls-cert chain.pem --tls-key key.pem --token-file token',
  ],
  timed: true,
  async run(values, log) {
    const place = parseListen(values.required('listen'), values.nameOf('listen'));
    const targets = readTargets(values);
    const drain = values.milliseconds('drain') ?? 0;
    const path = checkPath(values);
    const options = {
      origins: checkOrigins(values),
      protocols: checkProtocols(values),
      maxConnections: values.count('max-connections'),
      maxStreams: values.count('max-streams') ?? Infinity,
      maxPayload: values.count('max-payload'),
      keepalive: values.milliseconds('keepalive') ?? 0,
    };
    const secretFiles = new SecretFiles(log);
    const reloader = new Reloader(log);
    const files = tlsFiles(values, secretFiles);
    checkAuth(values, place, files?.mutual ?? false);
    const proxies = readTrustedProxies(values);
    // Half of the places are for those that need not wait.
    const room = (): number => Math.floor(server.freePlaces / 2);
    const tokens = tokenSource(values, secretFiles, targets, room);
    const checkToken = tokens && (await reloader.add(tokens));
    const endpoint = createEndpoint({ tls: await files?.read(), mutual: files?.mutual ?? false });
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
    const admission = new Admission({ targets, path, checkToken }, new SlowRefusals(room));
    const health = new Health();
    answerRequests(endpoint, health);
    const dialer = makeTargetDialer(admission);
    const server: TunnelServer = new TunnelServer(endpoint, { ...options, admission, dialer, log });
    const scheme = files ? 'wss' : 'ws';
    return runServer(log, {
      listeners: [
        {
          server: endpoint,
          place,
          listening: (address) =>
            `${scheme}://${address}${path ?? ''}, forwards to ${String(targets)}`,
        },
      ],
      stopping: `; open ones may finish within ${String(drain / 1000)} s`,
      lameDuck: values.milliseconds('lame-duck') ?? 0,
      onStopping: () => {
        health.stopping = true;
        server.refuseNew();
      },
      stop: () => server.drain(drain),
      reload: () => reloader.reload(),
    });
  },
});

/** What a subprotocol may consist of (RFC 6455, section 4.1: a token of RFC 9110). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

function checkProtocols(values: Values<'protocol'>): readonly string[] {
  const protocols = values.list('protocol');
  const wrong = protocols.find((name) => !TOKEN.test(name));
  if (wrong === undefined) return protocols;
  throw usageFailure(
    `${values.nameOf('protocol')} must be the name of a subprotocol, such as mqtt, but is ${showGiven(wrong)}`,
  );
}

function checkPath(values: Values<'path'>): string | undefined {
  const path = values.text('path');
  if (path !== undefined && !/^\/[^?#\s]*$/.test(path)) {
    throw usageFailure(
      `${values.nameOf('path')} must begin with / and have no query, but is ${showGiven(path)}`,
    );
  }
  return path;
}

/** Returns the origins of pages that get in; the library knows what an origin looks like. */
function checkOrigins(values: Values<'allow-origin'>): readonly string[] {
  const origins = values.list('allow-origin');
  for (const origin of origins) {
    try {
      createServer({ origins: [origin] });
    } catch (cause) {
      const wanted = "https://HOST or https://HOST:PORT, as browsers send it, 'null' or '*'";
      throw usageFailure(
        `${values.nameOf('allow-origin')} must be ${wanted}, but is ${showGiven(origin)}`,
        cause,
      );
    }
  }
  return origins;
}
