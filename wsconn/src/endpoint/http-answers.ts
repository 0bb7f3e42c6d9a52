import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

import { answerUpgradeRequired } from 'ws-conn-adapter';

import { OK, UNAVAILABLE } from '../console/codes.ts';

/** Whether a server takes new connections. */
export class Health {
  /** Set when it stops. */
  stopping = false;

  /** Answers a health check: 200 while it takes new connections, else 503. */
  answer({ method }: IncomingMessage, response: ServerResponse): void {
    const text = this.stopping ? 'stopping\n' : 'ok\n';
    response.writeHead(this.stopping ? UNAVAILABLE : OK, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': text.length,
      'Cache-Control': 'no-store',
    });
    response.end(method === 'HEAD' ? undefined : text);
  }
}

/** Path of the health check. */
export const HEALTH_PATH = '/healthz';

/** Answers requests that ask for no WebSocket: a health check, and others with 426. */
export function answerRequests(server: HttpServer | HttpsServer, health: Health): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { method, url = '/' } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && url.split('?', 1)[0] === HEALTH_PATH) health.answer(request, response);
    else answerUpgradeRequired(request, response);
  });
}
