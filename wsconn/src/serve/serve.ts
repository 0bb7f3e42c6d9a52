import type { Server as HttpsServer } from 'node:https';

import { createServer } from 'ws-conn-adapter';

import { defineCommand } from '../options/command.ts';
import { usageFailure } from '../console/failure.ts';
import { parseHostPort, showHostPort } from '../console/host-port.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import type { Log } from '../console/log.ts';
import { showGiven } from '../console/secrets.ts';
import { KEEPALIVE_OPTION } from '../dial/dialer.ts';
import { SecretFiles } from '../dial/secret-files.ts';
import { runServer } from '../tunnel/run-server.ts';
import { AUTH_OPTIONS, checkAuth, makeAuthenticate } from './auth.ts';
import { createEndpoint } from './http-endpoint.ts';
import { reloadFiles } from './reload-files.ts';
import { type TlsFiles, TLS_OPTIONS, tlsFiles } from './tls-files.ts';
import { TunnelServer } from './tunnel-server.ts';

const OPTIONS = {
  listen: { value: 'HOST:PORT', help: 'where to accept WebSockets' },
  to: { value: 'HOST:PORT', help: 'TCP target of all connections' },
  path: { value: 'PATH', help: 'path that requests must have (default any)' },
  'allow-origin': {
    value: 'ORIGIN',
    multiple: true,
    help: "web pages to let in, by their origin https://HOST, or '*'; may be given more than once",
  },
  ...TLS_OPTIONS,
  ...AUTH_OPTIONS,
  'max-connections': {
    value: 'NUMBER',
    help: 'most at once; others get 503 (default no limit)',
  },
  ...KEEPALIVE_OPTION,
  drain: {
    value: 'SECONDS',
    default: '20',
    help: 'time to finish after SIGTERM or Ctrl-C',
  },
} as const satisfies OptionSpecs;

export const serve = defineCommand<keyof typeof OPTIONS>({
  name: 'serve',
  usage: '--listen HOST:PORT --to HOST:PORT [OPTIONS]',
  summary: 'forwards each WebSocket to one fixed TCP target',
  details: [
    'Run it beside the target, such as an SSH server, behind any load balancer.',
    'A plain HTTP request, as of a health check, gets status 426: let the load',
    'balancer accept that as healthy, or check by TCP. Certificates and the token',
    'are read again when their files change.',
  ],
  options: OPTIONS,
  examples: [
    'wsconn serve --listen 127.0.0.1:8080 --to 127.0.0.1:22',
    'wsconn serve --listen 0.0.0.0:443 --to 127.0.0.1:22 --path /ssh \\',
    '    --tls-cert chain.pem --tls-key key.pem --token-file token',
  ],
  timed: true,
  async run(values, log) {
    const place = parseHostPort(values.required('listen'), values.nameOf('listen'));
    const target = parseHostPort(values.required('to'), values.nameOf('to'), 1);
    const drain = values.milliseconds('drain') ?? 0;
    const options = {
      path: checkPath(values),
      origins: checkOrigins(values),
      maxConnections: values.count('max-connections'),
      keepalive: values.milliseconds('keepalive') ?? 0,
    };
    const secretFiles = new SecretFiles(log);
    const files = tlsFiles(values, secretFiles);
    checkAuth(values, place, files?.mutual ?? false);
    const authenticate = await makeAuthenticate(values, secretFiles, log);
    const endpoint = createEndpoint({ tls: await files?.read(), mutual: files?.mutual ?? false });
    if (files) await renewTls(endpoint as HttpsServer, files, log);
    const server = new TunnelServer(endpoint, { ...options, target, authenticate, log });
    const scheme = files ? 'wss' : 'ws';
    return runServer(endpoint, log, {
      place,
      listening: (address) =>
        `${scheme}://${address}${options.path ?? ''}, forwards to ${showHostPort(target)}`,
      stopping: `; open ones may finish within ${String(drain / 1000)} s`,
      stop: () => server.drain(drain),
    });
  },
});

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

/** Makes the server use new certificates and keys, for handshakes from then on. */
async function renewTls(server: HttpsServer, files: TlsFiles, log: Log): Promise<void> {
  await reloadFiles(
    files.paths,
    () => files.read(),
    log,
    (context) => {
      server.setSecureContext(context);
    },
  );
}
