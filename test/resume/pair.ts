/** Two ends that resume, with a relay between them that can be cut. */
import { once } from 'node:events';
import type net from 'node:net';

import { onTestFinished } from 'vitest';

import {
  connect,
  createServer,
  type ResumableConnectOptions,
  type ResumableServerOptions,
  type ResumableSocket,
  type WsConnAdapter,
  type WsConnServer,
} from '../../src/index.ts';
import { closeOf, record, type Recording } from '../support/events.ts';
import { CuttingRelay } from '../support/links/cutting-relay.ts';

export interface Pair {
  readonly server: WsConnServer<WsConnAdapter | ResumableSocket>;
  readonly relay: CuttingRelay;
  readonly near: ResumableSocket;
  readonly far: ResumableSocket;
  readonly nearEvents: Recording;
  readonly farEvents: Recording;
}

/** Connects the two; the server knows already that its client resumes, and nothing waits unread. */
export async function makePair(
  nearOptions: Partial<ResumableConnectOptions> = {},
  farOptions: Partial<ResumableServerOptions> = {},
): Promise<Pair> {
  const server = createServer({ resume: true, ...farOptions });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await CuttingRelay.start((server.address() as net.AddressInfo).port);
  const connection = once(server, 'connection');
  const near = connect(relay.url, { resume: true, ...nearOptions });
  const nearEvents = record(near);
  const [far] = (await connection) as [ResumableSocket];
  const farEvents = record(far);
  onTestFinished(async () => {
    near.destroy();
    far.destroy();
    await Promise.all([closeOf(near), closeOf(far)]);
    await server.close();
    await relay.stop();
  });
  near.write('?');
  await once(far, 'readable');
  far.read();
  return { server, relay, near, far, nearEvents, farEvents };
}

/** Cuts the path for good, and waits until both ends know. */
export async function sever({ relay, near, far }: Pair): Promise<void> {
  relay.refuse = true;
  const lost = Promise.all([once(near, 'disconnect'), once(far, 'disconnect')]);
  relay.cut();
  await lost;
}
