/** A server that is trusted redirects its clients to a stranger: what he gets to see of them. */
import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { connect, type ConnectOptions, createServer, type WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { makeFolder } from '../support/folder.ts';
import { stopAfterTest } from '../support/pairs/meet.ts';
import { listenForTest } from '../support/peers/listen.ts';
import { makeAuthority } from '../support/programs/authority.ts';

const SECRETS = {
  Authorization: 'Bearer of-secrets',
  Cookie: 'session=secret',
  Origin: 'https://secret.example',
  'Proxy-Authorization': 'Basic c2VjcmV0',
  'X-Api-Key': 'secret-key',
  'User-Agent': 'secretive/1.0',
};

/** Headers that a stranger may see: the handshake's own. */
const HARMLESS = [
  'connection',
  'host',
  'sec-websocket-key',
  'sec-websocket-version',
  'upgrade',
  'wsconn-features',
];

interface Tls {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

let tls: Tls;

beforeAll(async () => {
  const files = await makeFolder();
  const authority = await makeAuthority(files.path);
  const pair = async (name: string): Promise<Tls['server']> => {
    const { cert, key } = await authority.sign(name);
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  };
  const ca = await readFile(authority.ca, 'utf8');
  tls = { ca, server: await pair('server'), client: await pair('client') };
  await files.remove();
});

function dial(url: string, options: ConnectOptions): WsConnAdapter {
  const adapter = connect(url, { followRedirects: true, ...options });
  stopAfterTest(adapter);
  return adapter;
}

/** What one host got to see of one request. */
interface Sight {
  readonly request: IncomingMessage;
  /** Common name of the client's certificate; undefined without one. */
  readonly client: string | undefined;
}

interface Host {
  readonly url: string;
  readonly sights: Sight[];
}

/** Starts a host that accepts every WebSocket, or redirects it as `redirect` says. */
async function host(secure: boolean, redirect?: () => string): Promise<Host> {
  const web = secure
    ? https.createServer({
        ...tls.server,
        ca: tls.ca,
        requestCert: true,
        rejectUnauthorized: false,
      })
    : http.createServer();
  const sights: Sight[] = [];
  web.prependListener('upgrade', (request: IncomingMessage, socket: net.Socket) => {
    const peer: Partial<PeerCertificate> = secure ? (socket as TLSSocket).getPeerCertificate() : {};
    sights.push({ request, client: peer.subject?.CN as string | undefined });
    if (redirect) {
      const lines = `Location: ${redirect()}\r\nConnection: close\r\n`;
      socket.end(Buffer.from(`HTTP/1.1 307 Go\r\n${lines}\r\n`, 'latin1'));
    }
  });
  if (!redirect) {
    const server = createServer({ server: web, origins: ['*'], handleProtocols: () => 'chat' });
    server.on('connection', (adapter) => adapter.on('error', () => undefined).resume());
    onTestFinished(() => server.close());
  }
  const port = await listenForTest(web);
  return { url: `${secure ? 'wss' : 'ws'}://127.0.0.1:${String(port)}/`, sights };
}

/** Names of the headers of one request; none where there was no such request. */
function namesOf(sight: Sight | undefined): string[] {
  return Object.keys(sight?.request.headers ?? {}).sort();
}

describe('a redirect to another host', () => {
  test('takes no header along but those of the handshake', async () => {
    const stranger = await host(false);
    const trusted = await host(false, () => stranger.url);
    const adapter = dial(trusted.url, { headers: SECRETS, protocols: ['chat'] });
    await next(adapter, 'connect');
    expect(adapter.ws.protocol).toBe('chat');
    expect(trusted.sights[0]?.request.headers).toMatchObject({
      'x-api-key': 'secret-key',
      cookie: SECRETS.Cookie,
    });
    const [sight] = stranger.sights;
    expect(namesOf(sight)).toEqual([...HARMLESS, 'sec-websocket-protocol'].sort());
    expect(JSON.stringify(sight?.request.rawHeaders)).not.toMatch(/secret/);
  });

  test.each([
    ['user and password', (url: string) => dial(url.replace('//', '//user:secret@'), {})],
    ['the option auth', (url: string) => dial(url, { auth: 'user:secret' })],
    ['the option origin', (url: string) => dial(url, { origin: 'https://secret.example' })],
    ['a Host of his own', (url: string) => dial(url, { headers: { Host: 'secret.example' } })],
    [
      'his headers, also where he listens for redirects',
      (url: string) => {
        const adapter = dial(url, { headers: { ...SECRETS, Host: 'secret' }, auth: 'user:secret' });
        adapter.ws.on('redirect', () => undefined);
        return adapter;
      },
    ],
  ])('does not give away %s', async (_what, dialWith) => {
    const stranger = await host(false);
    const trusted = await host(false, () => stranger.url);
    await next(dialWith(trusted.url), 'connect');
    const [sight] = stranger.sights;
    expect(namesOf(sight)).toEqual(HARMLESS);
    expect(JSON.stringify(sight?.request.rawHeaders)).not.toMatch(/secret/);
    expect(sight?.request.headers.host).toBe(new URL(stranger.url).host);
  });

  test('takes along what redirectHeaders lists, in any case', async () => {
    const stranger = await host(false);
    const trusted = await host(false, () => stranger.url);
    const redirectHeaders = ['user-AGENT', 'X-Other'];
    await next(dial(trusted.url, { headers: SECRETS, redirectHeaders }), 'connect');
    expect(namesOf(stranger.sights[0])).toEqual([...HARMLESS, 'user-agent'].sort());
  });

  test('does not get the headers back where it leads back', async () => {
    const end = await host(false);
    const ways: string[] = [];
    const trusted = await host(false, () => ways.shift() ?? end.url);
    const stranger = await host(false, () => `${trusted.url}chosen-by-the-stranger`);
    ways.push(stranger.url);
    await next(dial(trusted.url, { headers: SECRETS }), 'connect');
    const [, back] = trusted.sights;
    expect(back?.request.url).toBe('/chosen-by-the-stranger');
    expect(namesOf(back)).toEqual(HARMLESS);
  });

  test('shows no client certificate, and asks for the right name', async () => {
    const stranger = await host(true);
    const trusted = await host(true, () => stranger.url);
    const { ca, client } = tls;
    await next(dial(trusted.url, { ca, ...client, servername: 'localhost' }), 'connect');
    expect(trusted.sights[0]?.client).toBe('client');
    expect(stranger.sights).toHaveLength(1);
    expect(stranger.sights[0]?.client).toBeUndefined();
  });

  test('is refused where an agent would show the client certificate', async () => {
    const stranger = await host(true);
    const trusted = await host(true, () => stranger.url);
    const agent = new https.Agent({ ca: tls.ca, ...tls.client });
    const recording = record(dial(trusted.url, { agent }));
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ name: 'WsConnError', code: 'ECONNREFUSED' });
    expect(recording.errors[0]?.message).toMatch(/client certificate/);
    expect(trusted.sights[0]?.client).toBe('client');
    expect(stranger.sights).toEqual([]);
  });

  test('is followed with an agent that has no certificate, without the headers', async () => {
    const stranger = await host(true);
    const trusted = await host(true, () => stranger.url);
    const agent = new https.Agent({ ca: tls.ca });
    await next(dial(trusted.url, { agent, headers: SECRETS }), 'connect');
    expect(namesOf(stranger.sights[0])).toEqual(HARMLESS);
  });
});

describe('a redirect', () => {
  test('from TLS to none takes nothing along', async () => {
    const stranger = await host(false);
    const trusted = await host(true, () => stranger.url);
    await next(dial(trusted.url, { ca: tls.ca, headers: SECRETS }), 'connect');
    expect(namesOf(stranger.sights[0])).toEqual(HARMLESS);
  });

  test('within the same host keeps headers and certificate', async () => {
    const end = await host(true);
    const ways = ['/next'];
    const trusted = await host(true, () => ways.shift() ?? end.url);
    const { ca, client } = tls;
    await next(dial(trusted.url, { ca, ...client, headers: SECRETS }), 'connect');
    const [, second] = trusted.sights;
    expect(second?.request.url).toBe('/next');
    expect(second?.request.headers).toMatchObject({ 'x-api-key': 'secret-key' });
    expect(second?.client).toBe('client');
  });

  test('to a socket file of this machine is refused, and nobody gets there', async () => {
    const files = await makeFolder();
    onTestFinished(() => files.remove());
    const file = path.join(files.path, 'local.sock');
    let connections = 0;
    const local = net.createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await listenForTest(local, file);
    const trusted = await host(false, () => `ws+unix:${file}:/containers/create`);
    const recording = record(dial(trusted.url, {}));
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ name: 'WsConnError', code: 'ECONNREFUSED' });
    expect(connections).toBe(0);
  });

  test('that never ends is given up after maxRedirects', async () => {
    const trusted = await host(false, () => '/again');
    const recording = record(dial(trusted.url, { maxRedirects: 3 }));
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'EPROTO' });
    expect(trusted.sights).toHaveLength(4);
  });

  test.each([
    'ws://[secret',
    'ftp://secret.example/',
    'ws://127.0.0.1:1/#secret',
    'ws://secret\x9b2J:x',
  ])('to what is no URL of a WebSocket is an error that does not repeat it: %j', async (to) => {
    const trusted = await host(false, () => to);
    const recording = record(dial(trusted.url, {}));
    await recording.closed;
    const [error] = recording.errors;
    expect(error).toMatchObject({ name: 'WsConnError', code: 'EPROTO' });
    expect(error?.message).toMatch(/redirects to/);
    expect(`${String(error?.stack)}${String(error?.cause)}`).not.toMatch(/secret/);
  });
});

test.each([
  ['redirectHeaders', 'X-One'],
  ['redirectHeaders', [1]],
  ['followRedirects', 'yes'],
])('an option %s that is none is refused: %j', (name, value) => {
  expect(() => connect('ws://127.0.0.1:1', { [name]: value })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
  );
});
