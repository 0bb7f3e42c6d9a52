import { createServer, type ResumeOptions } from 'ws-conn-adapter';

import { ADMIN_OPTION, readAdmin } from '../admin/admin-option.ts';
import { AUTH_OPTIONS } from '../admit/auth.ts';
import { PROXY_OPTION, readTrustedProxies } from '../admit/trusted-proxies.ts';
import { usageFailure } from '../console/failure.ts';
import { parseListen } from '../console/place.ts';
import { showGiven } from '../console/secrets.ts';
import { KEEPALIVE_OPTION } from '../dial/dialer.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import { ALLOW_CONNECT_OPTION, readAllowConnect } from '../target/allow-connect.ts';
import { readTargets, TARGET_OPTION } from '../target/targets.ts';
import { TLS_OPTIONS } from '../endpoint/tls-files.ts';
import { workerNumber } from '../workers/worker-number.ts';
import { readWorkers, WORKERS_OPTION } from '../workers/workers-option.ts';

/** Options of `wsconn serve`. */
export const SERVE_OPTIONS = {
  listen: { value: 'HOST:PORT', help: 'where to accept WebSockets, or unix:/PATH, or systemd' },
  ...TARGET_OPTION,
  'proxy-protocol': {
    help: 'tell targets the address of the client, by the PROXY protocol (version 2)',
  },
  ...ALLOW_CONNECT_OPTION,
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
    help: 'most at once; others get 503 (default what open files allow)',
  },
  'max-streams': {
    value: 'NUMBER',
    default: '1024',
    help: 'most connections at once of one client with --mux',
  },
  'max-payload': { value: 'BYTES', help: 'largest message to take (default 1 MiB)' },
  'resume-hold': {
    value: 'SECONDS',
    default: '120',
    help: 'time to hold a connection whose path is cut, for clients with --resume; 0 for none',
  },
  'max-held': {
    value: 'NUMBER',
    default: '1024',
    help: 'most connections to hold at once; the longest without its path gives way',
  },
  'max-held-bytes': {
    value: 'BYTES',
    help: 'most bytes to keep for all connections with --resume (default 256 MiB)',
  },
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
  ...WORKERS_OPTION,
  ...ADMIN_OPTION,
} as const satisfies OptionSpecs;

export type ServeName = keyof typeof SERVE_OPTIONS;

/** Options that take effect at SIGHUP. */
export const LIVE_OPTIONS: readonly string[] = [
  ...['to', 'path', 'protocol', 'token-file', 'no-auth', 'max-connections', 'max-streams'],
  ...['keepalive', 'drain', 'lame-duck'],
];

/** Reads what needs no file; throws a Failure for what cannot be used. */
export function readSettings(values: Values<keyof typeof SERVE_OPTIONS>) {
  const place = parseListen(values.required('listen'), values.nameOf('listen'));
  const allowConnect = readAllowConnect(values);
  const workers = readWorkers(values);
  const number = workerNumber();
  return {
    workers,
    place,
    adminPlace: readAdmin(values, [place]),
    allowConnect,
    targets: readTargets(values, { mayHaveNone: !allowConnect.isEmpty }),
    proxies: readTrustedProxies(values),
    proxyProtocol: values.flag('proxy-protocol'),
    drain: values.milliseconds('drain') ?? 0,
    lameDuck: values.milliseconds('lame-duck') ?? 0,
    path: checkPath(values),
    options: {
      origins: checkOrigins(values),
      protocols: checkProtocols(values),
      maxConnections: values.count('max-connections'),
      maxStreams: values.count('max-streams') ?? Infinity,
      maxPayload: values.count('max-payload'),
      keepalive: values.milliseconds('keepalive') ?? 0,
      resume: readResume(values, workers, number ?? 1),
      worker: number === undefined ? undefined : { number, count: workers },
    },
  };
}

/** Checks that what is asked for can be shared by several workers. */
export function checkWorkers(
  values: Values<'workers' | 'resume-hold' | 'tls-cert'>,
  { workers, options }: ReturnType<typeof readSettings>,
): void {
  if (workers === 1 || options.resume === false || values.text('tls-cert') === undefined) return;
  throw usageFailure(
    `${values.nameOf('workers')} with TLS cannot hold connections for clients with --resume: give --resume-hold 0, or leave TLS to a proxy before it`,
  );
}

/** Smallest `maxBytes` of the library. */
const LEAST_HELD_BYTES = 65_536;

/** Its default there. */
const HELD_BYTES = 268_435_456;

/**
 * Reads how connections outlive their WebSockets; false where they do not. Each worker gets its part
 * of what may be held, and is known by the first byte of its ids.
 */
function readResume(
  values: Values<'resume-hold' | 'max-held' | 'max-held-bytes'>,
  workers: number,
  worker: number,
): ResumeOptions | false {
  const holdTime = values.milliseconds('resume-hold') ?? 0;
  const held = values.count('max-held') ?? 0;
  const bytes = values.count('max-held-bytes', LEAST_HELD_BYTES * workers) ?? HELD_BYTES;
  if (holdTime === 0) return false;
  if (workers === 1) return { holdTime, maxSessions: held, maxBytes: bytes };
  return {
    holdTime,
    maxSessions: partOf(held, workers, worker),
    maxBytes: Math.max(partOf(bytes, workers, worker), LEAST_HELD_BYTES),
    idFirstByte: worker,
  };
}

/** Divides a number among workers, so that their parts add up to it. */
function partOf(all: number, workers: number, worker: number): number {
  return Math.floor(all / workers) + (worker <= all % workers ? 1 : 0);
}

/** What a subprotocol may consist of (RFC 6455, section 4.1: a token of RFC 9110). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

function checkProtocols(values: Values<'protocol'>): readonly string[] {
  const protocols = values.list('protocol');
  const wrong = protocols.findIndex((name) => !TOKEN.test(name));
  if (wrong === -1) return protocols;
  throw usageFailure(
    `${values.nameOf('protocol', wrong)} must be the name of a subprotocol, such as mqtt, but is ${showGiven(String(protocols[wrong]))}`,
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
  for (const [index, origin] of origins.entries()) {
    try {
      createServer({ origins: [origin] });
    } catch (cause) {
      const wanted = "https://HOST or https://HOST:PORT, as browsers send it, 'null' or '*'";
      throw usageFailure(
        `${values.nameOf('allow-origin', index)} must be ${wanted}, but is ${showGiven(origin)}`,
        cause,
      );
    }
  }
  return origins;
}
