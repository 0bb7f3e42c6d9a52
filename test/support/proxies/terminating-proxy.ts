import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { next } from '../events.ts';

export interface TerminatingProxyOptions {
  /**
   * Headers of the target's answer to pass on, in lower case.
   * @default none
   */
  readonly answerHeaders?: readonly string[];
}

/** What belongs to one hop: the proxy makes its own towards the target. */
const OF_ONE_HOP = /^(?:sec-websocket-.*|host|connection|upgrade)$/;

/**
 * Stands for a proxy that ends WebSockets itself and opens others to its target, as
 * jupyter-server-proxy does: it passes on messages and the headers of the request, but none of the
 * answer's. Pings it answers itself, and pongs get no further.
 */
export async function startTerminatingProxy(
  target: number,
  { answerHeaders = [] }: TerminatingProxyOptions = {},
): Promise<{ readonly port: number }> {
  const front = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const open = new Set<WebSocket>();
  const server = http
    .createServer()
    .on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => !OF_ONE_HOP.test(name)),
      );
      const url = `ws://127.0.0.1:${String(target)}${request.url ?? '/'}`;
      const behind = new WebSocket(url, { headers, perMessageDeflate: false });
      behind.once('error', () => socket.destroy());
      behind.once('upgrade', ({ headers: answered }) => {
        front.once('headers', (lines) => {
          for (const name of answerHeaders) lines.push(`${name}: ${String(answered[name])}`);
        });
        front.handleUpgrade(request, socket, head, (before) => {
          relay(before, behind);
          relay(behind, before);
        });
      });
    });
  const relay = (from: WebSocket, to: WebSocket): void => {
    open.add(from);
    from.on('message', (data: Buffer, binary) => {
      to.send(data, { binary });
    });
    from.on('error', () => {
      to.terminate();
    });
    from.on('close', () => {
      open.delete(from);
      to.close();
    });
  };
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  onTestFinished(async () => {
    for (const ws of open) ws.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port };
}
