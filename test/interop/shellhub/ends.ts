import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

import { CONNECTION_PATH } from '../../../examples/shellhub-v2/wire.ts';
import { createServer, type WsConnAdapter } from '../../../src/index.ts';
import { next } from '../../support/events.ts';
import { GoBuild, GoProgram } from '../go-program.ts';

export const MIB = 1024 * 1024;

/** One end of ShellHub's second wire, in Go: an agent or a server. */
export const shellHubPeer = new GoBuild('shellhub-peer');

/** Starts the Go program, and stops it when the test is over. */
export function startShellHubPeer(...args: string[]): GoProgram {
  const peer = new GoProgram(shellHubPeer.file, args);
  onTestFinished(() => peer.kill());
  return peer;
}

/** A public server that agents connect to, as ShellHub has it. */
export interface ShellHubServer {
  readonly url: string;
  /** Resolves with the WebSocket of the next device. */
  readonly nextDevice: () => Promise<WsConnAdapter>;
}

/** Starts a server that is closed when the test is over. */
export async function shellHubServerOfTest(): Promise<ShellHubServer> {
  const server = createServer({ path: CONNECTION_PATH }).listen(0, '127.0.0.1');
  await next(server, 'listening');
  onTestFinished(async () => {
    await server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${String(port)}${CONNECTION_PATH}`,
    nextDevice: async () => {
      const [webSocket] = (await next(server, 'connection')) as [WsConnAdapter];
      return webSocket;
    },
  };
}
