// Shows in ten seconds what this package is for: a real SSH session inside a WebSocket, behind a proxy
// that drops idle connections as load balancers do, and one that is cut in mid-transfer and goes on.
//
//   npm start
//
// It prints each step and a summary. The exit code is 0 where all of it held, else 1.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { connect, createServer } from 'ws-conn-adapter';

import { startIdleLimitProxy } from './demo/idle-limit-proxy.ts';
import { makeSshServer } from './demo/ssh-server.ts';
import { openSshSession } from './demo/ssh-session.ts';
import {
  commandOverWebSocket,
  cutInMidTransfer,
  IDLE_LIMIT,
  idleWithKeepalive,
  idleWithoutKeepalive,
  moveMuch,
  PING_INTERVAL,
  results,
  secondsSince,
} from './demo/steps.ts';
import { bold, green, red, say } from './demo/terminal.ts';

/** Time in ms after which something must have gone wrong. */
const GIVE_UP = 60_000;

async function demonstrate(): Promise<void> {
  say(bold('\nws-conn-adapter: a WebSocket that behaves as a net.Socket\n'));
  say(
    '   Where a network lets nothing but web traffic through, a WebSocket still gets through. Here it carries',
  );
  say(
    '   what was made for TCP: an SSH session, of a client and a server that know nothing of WebSockets.\n',
  );
  const ssh = makeSshServer();
  const server = createServer({ resume: true }, ssh.serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startIdleLimitProxy((server.address() as AddressInfo).port, IDLE_LIMIT);
  const url = `ws://127.0.0.1:${String(proxy.port)}`;
  say(
    '      SSH client ── connect() ══ WebSocket ══ proxy ══ WebSocket ══ createServer() ── SSH server\n',
  );
  say(`   The proxy, at ${url}, stands in for a load balancer: it cuts every connection`);
  say(
    `   on which nothing moves for ${String(IDLE_LIMIT / 1000)} s. All of it runs in this one process, over real TCP.\n`,
  );

  const socket = connect(url, { keepalive: { interval: PING_INTERVAL } });
  const session = await openSshSession(socket, ssh);
  await commandOverWebSocket(session);
  await moveMuch(session);
  await idleWithKeepalive(session, socket);
  const error = await session.close();
  if (error) throw error;
  await idleWithoutKeepalive(url, ssh);
  await cutInMidTransfer(url, ssh, proxy.cut);
  await server.close();
  await proxy.close();
}

function fail(error: unknown): void {
  console.error(red(`\n✗ The demonstration failed. ${String(error)}`));
  process.exit(1);
}

const startedAt = performance.now();
setTimeout(fail, GIVE_UP, `It was not done within ${String(GIVE_UP / 1000)} s.`).unref();
try {
  await demonstrate();
} catch (error) {
  fail(error);
}
say(bold('Summary'));
for (const result of results) say(`   ${green('✓')} ${result}`);
say(`   All of it took ${secondsSince(startedAt)} s.`);
