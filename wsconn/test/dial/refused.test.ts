import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

import { expect, onTestFinished, test } from 'vitest';

import { runWsconn } from '../../../test/support/wsconn.ts';

/** Starts a web server that refuses each handshake; returns its URL. */
async function refusing(
  status: number,
  headers: http.OutgoingHttpHeaders,
  body: string,
  reason?: string,
): Promise<string> {
  const server = http.createServer();
  server.on('upgrade', (_request, socket) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const title = reason ?? http.STATUS_CODES[status] ?? '';
    socket.on('error', () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${String(status)} ${title}\r\nConnection: close\r\n${lines.join('')}\r\n${body}`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
}

test.each([
  [
    302,
    { Location: 'https://login.example/start?secret=1' },
    '',
    undefined,
    /HTTP status 302; it redirects to https:\/\/login\.example\/start: give that URL, or --follow-redirects\n/,
  ],
  [
    503,
    { 'Retry-After': '30' },
    '',
    undefined,
    /\(503\): try again later; it may be tried again in 30 s\n/,
  ],
  [
    403,
    { 'Content-Type': 'text/plain' },
    'your plan has no WebSockets\nand more\n',
    undefined,
    /\(403\): [^\n]+; it says "your plan has no WebSockets"\n/,
  ],
  [
    418,
    {},
    '',
    'Short and \u001b[31mstout',
    /status 418: check the URL; its reason is "Short and \\+u001b\[31mstout"\n/,
  ],
  [404, {}, 'Not Found\n', undefined, /\(404\): check the path of the URL\n$/],
] as const)(
  'a handshake refused with %s tells what the server says',
  async (status, headers, body, reason, line) => {
    const url = await refusing(status, headers, body, reason);
    for (const args of [
      ['connect', url],
      ['ping', '--count', '1', url],
    ]) {
      const { code, stderr } = await runWsconn(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(line);
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).not.toMatch(/secret/);
    }
  },
);
