import { existsSync } from 'node:fs';
import path from 'node:path';

import { printLeftOut } from '../parts/case.ts';
import { websocatFile } from './websocat.ts';

/** The commands of one tunnel, each with its arguments. */
export interface Contestant {
  readonly name: string;
  /** Accepts WebSockets, or what it has in their place, and forwards to the target. */
  readonly far: (port: number, target: number) => readonly string[];
  /** Accepts TCP connections, and forwards to the far end. */
  readonly near: (port: number, far: number, target: number) => readonly string[];
  /** By how much less it is given to do, for those that would hold up all others. */
  readonly slowness?: number;
}

export const FORWARD = 'wsconn forward + serve';
export const MUX = 'wsconn forward --mux + serve';
export const PIPES = 'two node:net pipes';
export const UPGRADES = 'two node:http upgrades, then pipes';
export const LEAST = 'least code on ws';

const ROOT = path.join(import.meta.dirname, '../..');
const WSCONN = path.join(ROOT, 'wsconn/bin/wsconn.js');
const WEBSOCKIFY = process.env['BENCH_WEBSOCKIFY'] ?? '/usr/bin/websockify';

const at = (port: number): string => `127.0.0.1:${String(port)}`;
const node = (...args: readonly string[]): readonly string[] => [process.execPath, ...args];

function wsconn(name: string, ...options: readonly string[]): Contestant {
  return {
    name,
    far: (port, target) => node(WSCONN, 'serve', '--listen', at(port), '--to', at(target)),
    near: (port, far) =>
      node(WSCONN, 'forward', '--listen', at(port), ...options, `ws://${at(far)}`),
  };
}

/** @param folder - where the scripts of `ends/` were bundled to */
function script(name: string, folder: string, file: string): Contestant {
  const run = (end: string) => (port: number, next: number) =>
    node(path.join(folder, `${file}.mjs`), end, String(port), String(next));
  return { name, far: run('far'), near: run('near') };
}

function websocat(file: string): Contestant {
  const run = (from: string, to: string): readonly string[] => [
    file,
    '--binary',
    '--exit-on-eof',
    from,
    to,
  ];
  return {
    name: 'websocat (Rust)',
    far: (port, target) => run(`ws-listen:${at(port)}`, `tcp:${at(target)}`),
    near: (port, far) => run(`tcp-listen:${at(port)}`, `ws://${at(far)}`),
    slowness: 8,
  };
}

function websockify(file: string, least: Contestant): Contestant {
  return {
    name: `websockify (Python) behind the near end of the ${LEAST}`,
    far: (port, target) => [file, at(port), at(target)],
    near: least.near,
    slowness: 8,
  };
}

function chisel(file: string): Contestant {
  return {
    name: 'chisel (Go)',
    far: (port) => [file, 'server', '--host', '127.0.0.1', '--port', String(port)],
    near: (port, far, target) => [file, 'client', `http://${at(far)}`, `${at(port)}:${at(target)}`],
  };
}

function wstunnel(file: string): Contestant {
  return {
    name: 'wstunnel (Rust)',
    far: (port) => [file, 'server', `ws://${at(port)}`],
    near: (port, far, target) => [
      file,
      'client',
      '-L',
      `tcp://${at(port)}:${at(target)}`,
      `ws://${at(far)}`,
    ],
  };
}

/** Returns those that can take part, and prints who is left out. */
export function contestants(folder: string, quick: boolean): readonly Contestant[] {
  const least = script(LEAST, folder, 'least-ws');
  const all = [
    wsconn(FORWARD),
    wsconn(MUX, '--mux'),
    script(PIPES, folder, 'net-pipes'),
    script(UPGRADES, folder, 'http-upgrades'),
    least,
  ];
  if (quick) return all;
  const others: readonly [string | undefined, string, (file: string) => Contestant][] = [
    [websocatFile(), 'websocat, or cargo to build it', websocat],
    [WEBSOCKIFY, 'websockify', (file) => websockify(file, least)],
    [process.env['BENCH_CHISEL'], 'BENCH_CHISEL, the file of chisel', chisel],
    [process.env['BENCH_WSTUNNEL'], 'BENCH_WSTUNNEL, the file of wstunnel', wstunnel],
  ];
  for (const [file, needs, make] of others) {
    const one = make(file ?? '');
    if (file !== undefined && existsSync(file)) all.push(one);
    else printLeftOut(one.name, needs);
  }
  return all;
}
