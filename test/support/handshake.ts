import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

/** Who asks, and for what. */
export interface Asking {
  /** Value of the header Authorization, as a token. */
  readonly token?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Address that it comes from: any of 127.0.0.0/8 will do on Linux. */
  readonly from?: string;
  readonly socketPath?: string;
  readonly tls?: https.RequestOptions;
  /** Hangs up. */
  readonly signal?: AbortSignal;
}

/** What a server answers to the handshake of a WebSocket. */
export interface Answer {
  /** 101 where it was let in; its connection is closed then. */
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks a server for a WebSocket; resolves with its answer, rejects where none comes. */
export async function ask(port: number, asking: Asking = {}): Promise<Answer> {
  const { token, path = '/', from, tls, socketPath, signal } = asking;
  const options = {
    ...(socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }),
    ...(from !== undefined && { localAddress: from }),
    ...(signal && { signal }),
    path,
    agent: false,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...asking.headers,
    },
  };
  const request = tls ? https.request({ ...options, ...tls }) : http.request(options);
  request.end();
  const opened = new AbortController();
  const upgraded = once(request, 'upgrade', { signal: opened.signal });
  const refused = once(request, 'response', { signal: opened.signal });
  const [response, socket] = (await Promise.race([upgraded, refused]).finally(() => {
    for (const other of [upgraded, refused]) other.catch(() => undefined);
    opened.abort();
  })) as [IncomingMessage, Duplex | undefined];
  const { statusCode: status = 0, headers } = response;
  if (socket) {
    socket.destroy();
    return { status, headers, body: '' };
  }
  const parts: string[] = [];
  for await (const part of response.setEncoding('utf8')) parts.push(String(part));
  return { status, headers, body: parts.join('') };
}
