import type { Server as HttpsServer } from 'node:https';

import type { Authenticate } from 'ws-conn-adapter';

import type { Command } from '../console/command.ts';
import { KEEPALIVE_OPTION } from '../dial/dialer.ts';
import { createEndpoint } from './http-endpoint.ts';
import { EXIT_FAILURE, usageFailure } from '../console/failure.ts';
import { parseHostPort, showHostPort } from '../console/host-port.ts';
import { listen } from '../tunnel/run-server.ts';
import { Log } from '../console/log.ts';
import { type OptionSpecs, readOptions, type Values, variableOf } from '../console/options.ts';
import { reloaded } from './reload-files.ts';
import { Service } from './tunnel-server.ts';
import { onceAskedToEnd } from '../console/signals.ts';
import { type TlsFiles, TLS_OPTIONS, tlsFiles } from './tls-files.ts';
import { carriesToken, checkToken, readTokenFile } from '../dial/token.ts';

const OPTIONS = {
  listen: { value: 'HOST:PORT', help: 'where to take WebSockets' },
  to: { value: 'HOST:PORT', help: 'where each of them leads by TCP' },
  path: { value: 'PATH', help: 'path that a request must have (default any)' },
  ...TLS_OPTIONS,
  'token-file': {
    value: 'FILE',
    help: 'file with the token that each client must have; read again when it changes',
  },
  'max-connections': {
    value: 'NUMBER',
    help: 'connections at once; one more gets 503 (default no limit)',
  },
  ...KEEPALIVE_OPTION,
  drain: {
    value: 'SECONDS',
    default: '20',
    help: 'time in which open connections may finish after SIGTERM or Ctrl-C',
  },
} as const satisfies OptionSpecs;

export const serve: Command = {
  name: 'serve',
  usage: '--listen HOST:PORT --to HOST:PORT [OPTIONS]',
  summary: 'takes WebSockets and leads each to one fixed TCP target',
  details: [
    'Run it beside the target, such as an SSH server, behind any load balancer.',
    'A plain HTTP request, as of a health check, gets status 426: have it taken for',
    'healthy, or check by TCP.',
  ],
  options: OPTIONS,
  examples: [
    'wsconn serve --listen 127.0.0.1:8080 --to 127.0.0.1:22',
    'wsconn serve --listen 0.0.0.0:443 --to 127.0.0.1:22 --path /ssh \\',
    '    --tls-cert chain.pem --tls-key key.pem --token-file token',
  ],
  async run(args) {
    const values = readOptions(args, process.env, OPTIONS);
    const log = new Log('serve', { verbose: values.flag('verbose'), timed: true });
    const place = parseHostPort(values.required('listen'), values.nameOf('listen'));
    const target = parseHostPort(values.required('to'), values.nameOf('to'), 1);
    const drain = values.milliseconds('drain') ?? 0;
    const options = {
      path: checkPath(values),
      maxConnections: values.count('max-connections'),
      keepalive: values.milliseconds('keepalive') ?? 0,
    };
    const authenticate = await makeAuthenticate(values, log);
    const files = tlsFiles(values);
    const endpoint = createEndpoint({ tls: await files?.read(), mutual: files?.mutual ?? false });
    if (files) await renewTls(endpoint as HttpsServer, files, log);
    const service = new Service(endpoint, { ...options, target, authenticate, log });
    const asked = new Promise<string>(onceAskedToEnd);
    const address = showHostPort(await listen(endpoint, place));
    log.info(
      `listening on ${files ? 'wss' : 'ws'}://${address}${options.path ?? ''}, leads to ${showHostPort(target)}`,
    );
    const signal = await asked;
    log.info(
      `${signal}: no new connections; open ones may finish within ${String(drain / 1000)} s`,
    );
    const cut = await service.drain(drain);
    if (cut > 0) log.info(`ended ${String(cut)} connections that were not done in time`);
    return cut > 0 ? EXIT_FAILURE : 0;
  },
};

function checkPath(values: Values<'path'>): string | undefined {
  const path = values.text('path');
  if (path !== undefined && !/^\/[^?#\s]*$/.test(path)) {
    throw usageFailure(
      `${values.nameOf('path')} must begin with / and have no query, but is '${path}'`,
    );
  }
  return path;
}

/** Makes what checks the token of each handshake, or undefined where none is wanted. */
async function makeAuthenticate(
  values: Values<'token-file'>,
  log: Log,
): Promise<Authenticate | undefined> {
  const path = values.text('token-file');
  const variable = variableOf('token');
  const fixed = process.env[variable];
  let current: () => string;
  if (path !== undefined) {
    const file = await reloaded(
      [path],
      () => readTokenFile(path, values.nameOf('token-file')),
      log,
    );
    current = () => file.current();
  } else if (fixed !== undefined && fixed !== '') {
    const token = checkToken(fixed, variable);
    current = () => token;
  } else {
    return undefined;
  }
  return ({ headers }) =>
    carriesToken(headers.authorization, current()) || {
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer realm="wsconn"' },
    };
}

/**
 * Lets the server use certificate and key as they are on disk: handshakes from then on get the new
 * ones.
 */
async function renewTls(server: HttpsServer, files: TlsFiles, log: Log): Promise<void> {
  await reloaded(
    files.paths,
    () => files.read(),
    log,
    (renewed) => {
      server.setSecureContext(renewed);
    },
  );
}
