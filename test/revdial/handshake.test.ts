import net from 'node:net';

import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { connect } from '../../src/index.ts';
import { next, turns } from '../support/events.ts';
import { hubOfTest, DIAL_BACK_PATH } from '../support/pairs/revdial-hub.ts';
import { rawControl } from '../support/peers/raw-control.ts';

/**
 * Opens a bare WebSocket, and discards what it receives. Resolves with the WebSocket, or with the
 * HTTP status that refused it.
 */
function openRaw(url: string): Promise<WebSocket | number> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url);
    ws.on('error', reject);
    ws.on('open', () => {
      resolve(ws);
    });
    ws.on('unexpected-response', (_request, response) => {
      response.resume();
      response.once('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
  });
}

async function closeRaw(ws: WebSocket | number | undefined): Promise<void> {
  if (!(ws instanceof WebSocket)) throw new Error(`expected a WebSocket, not ${String(ws)}`);
  ws.close();
  await next(ws, 'close');
}

describe('a dial back', () => {
  async function waitingDial() {
    const hub = await hubOfTest();
    const device = rawControl();
    const dialer = hub.revdial.createDialer(device.control);
    const dial = dialer.dial();
    const { connPath } = await device.take('conn-ready');
    return { hub, device, dialer, dial, connPath, url: `${hub.url}${connPath}` };
  }

  test('with wrong ids gets 400 and leaves the dial waiting', async () => {
    const { hub, dialer, dial, url, connPath } = await waitingDial();
    const other = hub.revdial.createDialer(rawControl().control);
    const wrong = [
      `${hub.url}${DIAL_BACK_PATH}`,
      `${hub.url}/elsewhere?x=1`,
      url.replace(/uuid=.*/, 'uuid=00000000-0000-0000-0000-000000000000'),
      url.replace(/&uuid=.*/, ''),
      url.replace(dialer.id, other.id),
      url.replace(dialer.id, ''),
      url.replace(dialer.id, 'f'.repeat(32)),
      `${hub.url}${DIAL_BACK_PATH}?${String(connPath.split('?')[1]).toUpperCase()}`,
    ];
    for (const bad of wrong) expect(await openRaw(bad)).toBe(400);

    const ws = await openRaw(url);
    const user = await dial;
    user.resume();
    await closeRaw(ws);
    expect(await user.close()).toBeNull();
  });

  test('with a uuid that was used gets 400', async () => {
    const { dial, url } = await waitingDial();
    const ws = await openRaw(url);
    const user = await dial;
    user.resume();
    expect(await openRaw(url)).toBe(400);
    await closeRaw(ws);
    await user.close();
    expect(await openRaw(url)).toBe(400);
  });

  test('twice at once is won by one, and the other gets 400', async () => {
    const { dial, url } = await waitingDial();
    const both = await Promise.all([openRaw(url), openRaw(url)]);
    const user = await dial;
    user.resume();
    expect(both.filter((one) => one === 400)).toHaveLength(1);
    await closeRaw(both.find((one) => one !== 400));
    await user.close();
  });

  test('by another path, as proxies rewrite them, is taken', async () => {
    const { dial, hub, connPath } = await waitingDial();
    const ws = await openRaw(`${hub.url}/prefix${connPath}&trace=1`);
    const user = await dial;
    user.resume();
    await closeRaw(ws);
    await user.close();
  });

  test('with a handshake that is none leaves the dial waiting', async () => {
    const { dial, url } = await waitingDial();
    const { hostname, port, pathname, search } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    const path = pathname + search;
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    expect(String(await next(socket, 'data'))).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();

    const ws = await openRaw(url);
    const user = await dial;
    user.resume();
    await closeRaw(ws);
    await user.close();
  });

  test('that is reported as failed after it was made stays', async () => {
    const { dial, url, device, connPath, dialer } = await waitingDial();
    const ws = await openRaw(url);
    const user = await dial;
    device.send({ command: 'pickup-failed', connPath, err: 'too late' });
    await turns(5);
    expect(user.destroyed).toBe(false);
    expect(dialer.closed).toBe(false);
    user.resume();
    await closeRaw(ws);
    await user.close();
  });

  test('after the server was closed gets 400, and what was made before stays', async () => {
    const { hub, dial, url } = await waitingDial();
    const ws = await openRaw(url);
    const user = await dial;
    await hub.revdial.close();
    expect(await openRaw(url)).toBe(400);
    expect(user.destroyed).toBe(false);
    user.resume();
    await closeRaw(ws);
    await user.close();
  });
});

test('an adapter of a client that was refused says so', async () => {
  const hub = await hubOfTest();
  const adapter = connect(`${hub.url}${DIAL_BACK_PATH}?revdial.dialer=a&uuid=b`);
  expect((await next(adapter, 'error'))[0]).toMatchObject({
    code: 'ECONNREFUSED',
    statusCode: 400,
  });
});
