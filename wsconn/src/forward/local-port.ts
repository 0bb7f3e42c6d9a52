import type net from 'node:net';

import { usageFailure } from '../console/failure.ts';
import { parseListen, type ListenPlace, showHostPort } from '../console/place.ts';
import { showGiven, showUrl } from '../console/secrets.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import { pairsOf } from '../options/pairs.ts';
import { isTargetName, type Wish } from '../tunnel/stream-header.ts';
import { urlOfTarget } from './target-url.ts';

/** Options that say where connections are accepted, and where they go to. */
export const LOCAL_OPTIONS = {
  listen: {
    value: 'HOST:PORT',
    multiple: true,
    beside: ['to'],
    help: "where to accept TCP connections, or unix:/PATH; '-' for a single one on stdin and stdout; may be given more than once, each with its own --to",
  },
  to: {
    value: 'NAME',
    multiple: true,
    help: 'target of the --listen before it, at URL/NAME (default that of URL)',
  },
  socks: {
    value: 'HOST:PORT',
    help: 'where to accept SOCKS 5 connections, or unix:/PATH: their programs choose addresses that --allow-connect of the server lists',
  },
} as const satisfies OptionSpecs;

/** Stands for stdin and stdout. */
export const STDIO = '-';

type LocalValues = Values<keyof typeof LOCAL_OPTIONS>;

/** What a local program wants, and how it is told what came of that. */
export interface LocalRequest {
  readonly wish: Wish;
  /** Tells it that it is connected; it waits for that. Without it, it may send at once. */
  readonly connected?: () => void;
  /** Tells it that it is not, by an errno name, and ends its connection; without, it is reset. */
  readonly refused?: (errno: string | undefined) => void;
}

/** A place where local programs connect. */
export interface LocalPort {
  readonly place: ListenPlace;
  /** Name of its target; empty where it has none, or its programs choose one. */
  readonly target: string;
  /** Returns what the log says of it. */
  readonly listening: (address: string) => string;
  /** Returns what a program wants that has connected; undefined where it has left again. */
  readonly read: (socket: net.Socket) => Promise<LocalRequest | undefined>;
}

/** The one connection on stdin and stdout, by the name of its target. */
export interface OnStdio {
  readonly stdio: string;
}

/** Reads where connections come from; throws a Failure where that is wrong. */
export function readLocalPorts(values: LocalValues, server: URL): readonly LocalPort[] | OnStdio {
  const socks = values.text('socks');
  if (socks === undefined) values.required('listen');
  const pairs = pairsOf(values, 'listen', 'to').map(([where, name = '']) => {
    if (name !== '' && !isTargetName(name)) {
      throw usageFailure(
        `${values.nameOf('to')} must be the name of a target of the server, of letters, digits and . _ ~ -, but is ${showGiven(name)}`,
      );
    }
    return { where, name };
  });
  const onStdio = pairs.find(({ where }) => where === STDIO);
  if (onStdio) {
    if (pairs.length === 1 && socks === undefined) return { stdio: onStdio.name };
    throw usageFailure(
      `${values.nameOf('listen')} ${STDIO} is for a single connection: leave every other --listen and --socks out`,
    );
  }
  const ports = pairs.map(({ where, name }) =>
    targetPort(parseListen(where, values.nameOf('listen')), name, server),
  );
  return socks === undefined
    ? ports
    : [...ports, socksPort(parseListen(socks, values.nameOf('socks')), server)];
}

function targetPort(place: ListenPlace, name: string, server: URL): LocalPort {
  return {
    place,
    target: name,
    listening: (address) => `${address}, forwards to ${showUrl(urlOfTarget(server, name))}`,
    read: () => Promise.resolve({ wish: { name } }),
  };
}

function socksPort(place: ListenPlace, server: URL): LocalPort {
  return {
    place,
    target: '',
    listening: (address) => `${address}, forwards SOCKS 5 to ${showUrl(server)}`,
    read: async (socket) => {
      // Loaded only where it is used.
      const { acceptSocks, readSocksRequest, refuseSocks } = await import('../socks/socks5.ts');
      const address = await readSocksRequest(socket);
      return (
        address && {
          wish: { address },
          connected: () => {
            acceptSocks(socket);
          },
          refused: (errno) => {
            refuseSocks(socket, errno);
          },
        }
      );
    },
  };
}

/** Names what a local program wants, for the log. */
export function showWish(wish: Wish): string {
  return 'address' in wish ? showHostPort(wish.address) : wish.name;
}
