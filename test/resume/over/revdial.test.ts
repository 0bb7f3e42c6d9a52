import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import {
  connect,
  createServer,
  type ResumableSocket,
  type ResumeOptions,
} from '../../../src/index.ts';
import {
  type DialBack,
  type ControlOptions,
  type RevdialDialer,
  RevdialListener,
  RevdialServer,
} from '../../../src/revdial/index.ts';
import { closeOf, next } from '../../support/events.ts';
import { CuttingRelay } from '../../support/links/cutting-relay.ts';
import { CONTROL_PATH, DIAL_BACK_PATH, echo } from '../../support/pairs/revdial-hub.ts';
import { readExactly } from '../../support/reading.ts';

interface Device {
  readonly url: string;
  readonly relay: CuttingRelay;
  readonly listener: RevdialListener;
  readonly control: ResumableSocket;
  readonly dialer: RevdialDialer;
}

/**
 * Makes a hub whose control connections may be resumed, and a device that reaches it through a
 * relay.
 */
async function device(options: ControlOptions = {}, dialBack?: DialBack): Promise<Device> {
  const resume: ResumeOptions = {};
  const revdial = new RevdialServer({ path: DIAL_BACK_PATH, control: options });
  const controls = createServer({ path: CONTROL_PATH, resume });
  const hub = http.createServer();
  hub.on('upgrade', (request, socket, head) => {
    if (request.url === CONTROL_PATH) controls.handleUpgrade(request, socket, head);
    else revdial.handleUpgrade(request, socket, head);
  });
  await next(hub.listen(0, '127.0.0.1'), 'listening');
  const relay = await CuttingRelay.start((hub.address() as AddressInfo).port);
  const connected = next(controls, 'connection');
  const control = connect(relay.url + CONTROL_PATH, { resume, closeTimeout: 500 });
  const listener = new RevdialListener(
    control,
    dialBack ?? ((connPath, signal) => connect(relay.url + connPath, { signal })),
    { control: options },
  );
  echo(listener);
  const confirmed = control.ws && next(control.ws, 'message');
  const dialer = revdial.createDialer((await connected)[0] as ResumableSocket);
  await confirmed;
  onTestFinished(async () => {
    await Promise.all([listener.close(), revdial.close()]);
    await controls.close();
    await relay.stop();
    const closed = next(hub, 'close');
    hub.close();
    await closed;
  });
  return { url: relay.url, relay, listener, control, dialer };
}

test('a control connection with resume outlives a cut, and a dial finds its device', async () => {
  const { relay, control, listener, dialer } = await device();
  const back = next(control, 'reconnect');
  relay.cut();
  await back;
  const session = await dialer.dial();
  session.write('still there');
  expect(String(await readExactly(session, 11))).toBe('still there');
  expect(await session.close()).toBeNull();
  expect([listener.closed, dialer.closed]).toEqual([false, false]);
});

test('a dial that is asked for while there is no path is answered when there is one', async () => {
  const { relay, control, dialer } = await device();
  const [lost, back] = [next(control, 'disconnect'), next(control, 'reconnect')];
  relay.cut();
  await lost;
  const session = dialer.dial();
  await back;
  expect(await (await session).close()).toBeNull();
});

test('an outage longer than the writeTimeout of the control connection ends it', async () => {
  const { relay, control, listener } = await device({ interval: 50, writeTimeout: 100 });
  const ended = next(listener, 'close');
  const lost = next(control, 'disconnect');
  await relay.stop();
  await lost;
  expect(await ended).toMatchObject([{ code: 'ETIMEDOUT' }]);
});

test('a dial back is not resumed: a cut is its end, as it was', async () => {
  const { relay, dialer } = await device();
  const session = await dialer.dial();
  const failed = next(session, 'error');
  relay.cut();
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
});

test('a dial back that could be resumed is refused, and is left to who has made it', async () => {
  const made: ResumableSocket[] = [];
  const { url, listener, dialer } = await device({}, ((connPath: string) => {
    const socket = connect(url + connPath, { resume: true });
    made.push(socket);
    return socket;
  }) as unknown as DialBack);
  const failed = next(listener, 'dialBackFailed');
  await expect(dialer.dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await failed).toMatchObject([{ code: 'ERR_INVALID_ARG_TYPE' }, expect.any(String)]);
  await Promise.all(made.map((socket) => closeOf(socket.destroy())));
});
