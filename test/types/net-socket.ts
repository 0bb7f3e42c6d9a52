/** What must compile: an adapter is a net.Socket for whoever asks for one. Nothing here is run. */
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';

import pg from 'pg';
import ssh2 from 'ssh2';
import type { WebSocket } from 'ws';

import {
  connect,
  createServer,
  join,
  type ResumableSocket,
  type ResumeOptions,
  type SocketDuplex,
  WsConnAdapter,
  type WsConnError,
  type WsConnServer,
  type WsConnSocket,
} from '../../src/index.ts';

declare const ws: WebSocket;

const adapter = new WsConnAdapter(ws);
const socket: net.Socket = adapter;
const duplex: Duplex = adapter;
const abstract: SocketDuplex = adapter;
const dialled: net.Socket = connect('wss://example.com', { keepalive: true });

// @ts-expect-error a plain Duplex is no net.Socket: this file would notice if everything were.
export const plain: net.Socket = duplex;

export const all: net.Socket[] = [socket, dialled, abstract];

/** A function that takes the socket of the standard library. */
function onConnection(given: net.Socket): void {
  given.setNoDelay(true).setKeepAlive(true, 1_000).setTimeout(0).ref().unref().end('bye');
}
onConnection(adapter);
net.createServer(onConnection);
createServer(onConnection);

new ssh2.Client().connect({ sock: adapter, username: 'me' });
new pg.Client({ stream: () => adapter });
tls.connect({ socket: adapter, servername: 'example.com' });
new tls.TLSSocket(adapter);
http2.connect('http://example.com', { createConnection: () => adapter });
http.request({ createConnection: () => adapter });

/** http.Agent's way to get a connection. */
class Agent extends http.Agent {
  override createConnection(): net.Socket {
    return connect('ws://example.com');
  }
}
http.get('http://example.com', { agent: new Agent() });

const server = http.createServer();
server.emit('connection', adapter);

void join(adapter, socket);
void join(duplex, adapter);

/** A connection that outlives its WebSocket is a net.Socket too. */
declare const resume: boolean | ResumeOptions;
const outliving: ResumableSocket = connect('wss://example.com', { resume });
export const alsoSockets: net.Socket[] = [outliving];
onConnection(outliving);
new ssh2.Client().connect({ sock: outliving, username: 'me' });
tls.connect({ socket: outliving, servername: 'example.com' });
http.request({ createConnection: () => outliving });
void join(outliving, adapter);

// Its WebSocket is null while there is none; that of an adapter is there always.
export const itsWebSocket: WebSocket | null = outliving.ws;
export const always: WebSocket = connect('wss://example.com').ws;
// @ts-expect-error there may be none
export const never: WebSocket = outliving.ws;
// @ts-expect-error it is no adapter, whose WebSocket is always there
export const noAdapter: WsConnAdapter = outliving;
export const both: WsConnSocket[] = [adapter, outliving];

// What a server makes is an adapter, unless it has the option.
createServer((made) => made.ws.protocol);
createServer({ path: '/' }, (made) => made.ws.protocol);
createServer({ resume }, (made) => made.ws?.protocol);
// @ts-expect-error with the option there may be no WebSocket
createServer({ resume }, (made) => made.ws.protocol);
export const plainServer: WsConnServer = createServer({});
export const resuming: WsConnServer<WsConnAdapter | ResumableSocket> = createServer({ resume });
createServer({ authenticate: () => ({ identity: 'somebody' }) });
connect('wss://example.com', { resume: { rotate: 60_000 }, headers: () => ({ 'X-Token': 'new' }) });
// @ts-expect-error there is no such option
connect('wss://example.com', { resume: { windows: 1 } });

/** Whether both types are the same; `any` is like none. */
type Same<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false;
/** What compiles only with a value of exactly that type. */
declare function exactly<B>(): { is: <A>(value: A, same: Same<A, B>) => void };

// What listeners get follows from the event, at a client, at a server that resumes, and at both kinds.
declare const served: ResumableSocket | WsConnAdapter;
for (const one of [outliving, served]) {
  one.on('disconnect', (error) => {
    exactly<WsConnError>().is(error, true);
  });
  one.once('reconnect', (count, ms) => {
    exactly<number>().is(count, true);
    exactly<number>().is(ms, true);
  });
  one.prependListener('close', (hadError) => {
    exactly<boolean>().is(hadError, true);
  });
  one.prependOnceListener('data', (chunk) => {
    exactly<Buffer>().is(chunk, true);
  });
  one.addListener('error', (error) => {
    exactly<Error>().is(error, true);
  });
  one.on('pong', (rtt) => {
    exactly<number>().is(rtt, true);
  });
}
createServer({ resume }, (made) => made.on('disconnect', (error) => error.closeCode));
outliving.on('disconnect', (error: Error) => error.message);
outliving.on('reconnect', (count: number, ms: number) => count + ms);
outliving.on('mine', (what) => {
  // @ts-expect-error what an event of another name brings is any: exactly() would notice
  exactly<string>().is(what, true);
});
// Each returns the socket that it was called on.
export const itself: ResumableSocket = outliving.on('end', () => undefined).once('mine', () => 1);
// What is read as text comes as text.
outliving.setEncoding('utf8').on('data', (text: string) => text.length);

socket.on('close', (hadError: boolean) => hadError);
adapter.on('pong', (rtt: number) => rtt);
const closed: Promise<Error | null> = adapter.close();
void closed;
