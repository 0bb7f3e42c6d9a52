/**
 * Pages of strangers, in a real browser, try to reach a server on localhost: from another origin,
 * by a name that resolves to it (DNS rebinding), and from a frame that hides where it is from.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { createServer } from '../../src/index.ts';
import { target } from '../support/peers/target.ts';
import { openInChromium } from '../support/programs/chromium.ts';
import { describeWith } from '../support/programs/program.ts';
import { serve } from '../support/wsconn.ts';

/** A name that the browser of the test looks up as the address of this machine. */
const REBOUND = 'rebound.example';
/** Time in ms that a browser may take to start on a busy machine. */
const TIME_LIMIT = 90_000;

/** What one page has to tell: its origin, and for each URL whether an echo came. */
interface Tries {
  readonly origin: string;
  readonly echoed: Readonly<Record<string, boolean>>;
}

/** The script of a page: writes to each of `urls`, then tells its server what came back. */
const ATTACK = String.raw`
  const reaches = (url) => new Promise((resolve) => {
    const ws = new WebSocket(url);
    ws.onopen = () => ws.send(new TextEncoder().encode('FLUSHALL ' + origin + '\r\n'));
    ws.onmessage = () => { resolve(true); ws.close(); };
    ws.onclose = () => resolve(false);
  });
  Promise.all(urls.map(async (url) => [url, await reaches(url)])).then((tries) => {
    const body = JSON.stringify({ origin, echoed: Object.fromEntries(tries) });
    return fetch(tell, { method: 'POST', mode: 'no-cors', body });
  });
`;

/** Serves a page with two frames that all attack; resolves with what each of them tells. */
class Attacker {
  readonly #server = http.createServer();
  readonly #told: Tries[] = [];
  urls: readonly string[] = [];
  readonly all: Promise<readonly Tries[]>;

  constructor() {
    this.all = new Promise((resolve) => {
      this.#server.on('request', (request, response) => {
        if (request.method === 'POST') {
          void request
            .setEncoding('utf8')
            .toArray()
            .then((parts) => {
              this.#told.push(JSON.parse(parts.join('')) as Tries);
              if (this.#told.length === 3) resolve(this.#told);
              response.end();
            });
          return;
        }
        response.setHeader('Content-Type', 'text/html');
        response.end(request.url === '/' ? this.#page() : this.#script());
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    onTestFinished(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
    return this.#origin('127.0.0.1');
  }

  #origin(host: string): string {
    return `http://${host}:${String((this.#server.address() as AddressInfo).port)}`;
  }

  #page(): string {
    return `${this.#script()}<iframe src="${this.#origin(REBOUND)}/frame"></iframe>
      <iframe sandbox="allow-scripts" src="/frame"></iframe>`;
  }

  #script(): string {
    const urls = JSON.stringify(this.urls);
    const tell = JSON.stringify(`${this.#origin('127.0.0.1')}/told`);
    return `<!doctype html><script>const urls = ${urls}, tell = ${tell};${ATTACK}</script>`;
  }
}

/** Starts an echo that keeps what it got. */
async function listener(): Promise<{ readonly port: number; readonly heard: () => string }> {
  let heard = '';
  const port = await target((socket) => {
    socket.on('data', (part: Buffer) => {
      heard += part.toString();
      socket.write(part);
    });
    socket.on('end', () => socket.end());
  });
  return { port, heard: () => heard };
}

/** Starts a server of the library that echoes, and keeps what it got. */
async function library(origins?: readonly string[]): Promise<{ url: string; heard: () => string }> {
  let heard = '';
  const server = createServer({ origins }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => {
      heard += part.toString();
      socket.write(part);
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${String(port)}`, heard: () => heard };
}

describeWith('chromium', 'a page in a real browser', (chromium) => {
  test('reaches nothing unless its origin is listed', { timeout: TIME_LIMIT }, async () => {
    const attacker = new Attacker();
    const page = await attacker.listen();
    const rebound = page.replace('127.0.0.1', REBOUND);
    const [behindServe, behindListed] = [await listener(), await listener()];
    const closed = await serve(behindServe.port);
    const listed = await serve(behindListed.port, ['--allow-origin', page]);
    const [ofLibrary, ofLibraryListed] = [await library(), await library([page])];
    const toName = closed.url.replace('127.0.0.1', REBOUND);
    attacker.urls = [closed.url, toName, listed.url, ofLibrary.url, ofLibraryListed.url];

    openInChromium(chromium, `${page}/`, `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`);

    const outcome = (inTheList: boolean): Tries['echoed'] => ({
      [closed.url]: false,
      [toName]: false,
      [listed.url]: inTheList,
      [ofLibrary.url]: false,
      [ofLibraryListed.url]: inTheList,
    });
    const all = new Map((await attacker.all).map(({ origin, echoed }) => [origin, echoed]));
    expect(all).toEqual(
      new Map([
        [page, outcome(true)],
        [rebound, outcome(false)],
        ['null', outcome(false)],
      ]),
    );
    expect([behindServe.heard(), ofLibrary.heard()]).toEqual(['', '']);
    const written = `FLUSHALL ${page}\r\n`;
    expect([behindListed.heard(), ofLibraryListed.heard()]).toEqual([written, written]);
    await closed.program.prints(
      /refused \S+ with 403: --allow-origin does not list the Origin "http:\/\/rebound\.example:\d+"\n/,
    );
  });
});

test('--allow-origin may be given more than once, or line by line in the environment', async () => {
  const { port } = await listener();
  const origins = ['https://one.example', 'https://two.example:8443'];
  const byOption = await serve(
    port,
    origins.flatMap((each) => ['--allow-origin', each]),
  );
  const byVariable = await serve(port, [], { env: { WSCONN_ALLOW_ORIGIN: origins.join('\n') } });
  for (const { url } of [byOption, byVariable]) {
    for (const origin of origins) expect(await statusFor(url, origin)).toBe(101);
    expect(await statusFor(url, 'https://three.example')).toBe(403);
    expect(await statusFor(url)).toBe(101);
  }
});

/** Asks for a WebSocket as a page of that origin would; resolves with the status of the answer. */
async function statusFor(url: string, origin?: string): Promise<number | undefined> {
  const request = http.get(url.replace('ws:', 'http:'), {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...(origin === undefined ? {} : { Origin: origin }),
    },
  });
  return new Promise((resolve) => {
    request.once('response', (response) => {
      response.resume().once('close', () => {
        resolve(response.statusCode);
      });
    });
    request.once('upgrade', ({ statusCode }, socket) => {
      socket.on('error', () => undefined);
      socket.destroy();
      socket.once('close', () => {
        resolve(statusCode);
      });
    });
  });
}
