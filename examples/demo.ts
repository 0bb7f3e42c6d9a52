// Shows in ten seconds what this package is for: a real SSH session inside of a WebSocket, behind
// something that drops idle connections as load balancers do. Run it with `npm start`. It needs
// nothing but the package, and prints what it does; exit code 0 means that everything held, 1 that
// something did not.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect, createServer, type WsConnAdapter } from '../src/index.ts';
import { startIdleLimitProxy } from './demo/idle-limit-proxy.ts';
import { medianRoundTrip, sendAndReceive } from './demo/measure.ts';
import { makeSshServer, type SshLogin } from './demo/ssh-server.ts';
import { openSshSession, type SshSession } from './demo/ssh-session.ts';
import { bold, dim, green, red, say, showProgress } from './demo/terminal.ts';

const MIB = 1024 * 1024;
const PAYLOAD = 64 * MIB;
const IDLE_LIMIT = 2_000;
const IDLE_TIME = 6_000;
const IDLE_SECONDS = String(IDLE_TIME / 1000);
const PING_INTERVAL = 750;
/** Time in ms after which something must have gone wrong. */
const GIVE_UP = 60_000;

const results: string[] = [];

/** Stops the demonstration unless what was promised holds. */
function holds(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`This did not hold: ${promise}`);
  results.push(promise);
}

/** Sits idle with the session; gives the error that ended it meanwhile, if any. */
async function idle(session: SshSession): Promise<NodeJS.ErrnoException | null> {
  const enough = new AbortController();
  const over = sleep<null>(IDLE_TIME, null, { signal: enough.signal });
  const error = await Promise.race([session.ended, over]);
  over.catch(() => undefined); // Given up, when the session ended first.
  enough.abort();
  return error;
}

function secondsSince(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

async function runCommand(session: SshSession, command: string): Promise<string> {
  say(`   $ ${bold(command)}`);
  const answer = (await session.run(command)).trimEnd();
  say(`   ${answer}`);
  return answer;
}

async function commandOverWebSocket(session: SshSession): Promise<void> {
  say(bold('1  A command over SSH, over a WebSocket'));
  const answer = await runCommand(session, 'uname');
  holds(answer.includes(process.version), 'an SSH command was answered through the WebSocket');
  const echo = await session.start('cat');
  const rtt = (await medianRoundTrip(echo, 200)).toFixed(2);
  echo.end();
  await once(echo, 'close');
  say(`   One key press travels there and back in ${rtt} ms (median of 200).\n`);
  results.push(`a key press took ${rtt} ms there and back`);
}

async function moveMuch(session: SshSession): Promise<void> {
  const size = `${String(PAYLOAD / MIB)} MiB`;
  say(bold(`2  ${size} there and back through the same session`));
  say(
    `   $ ${bold('cat')}   ${dim('(random bytes go in; what comes out is read at the same time)')}`,
  );
  const { moved } = showProgress(PAYLOAD);
  const echo = await sendAndReceive(await session.start('cat'), PAYLOAD, moved);
  const rate = `${(PAYLOAD / MIB / echo.seconds).toFixed(0)} MiB/s`;
  say(`   ${size} went and came back in ${echo.seconds.toFixed(1)} s: ${rate} each way at once.`);
  say(`   SHA-256 of what went in:  ${echo.sentHash}`);
  say(`   SHA-256 of what came out: ${echo.receivedHash}\n`);
  holds(
    echo.sentHash === echo.receivedHash,
    `${size} came back with the same SHA-256, at ${rate} each way`,
  );
}

async function idleWithKeepalive(session: SshSession, socket: WsConnAdapter): Promise<void> {
  say(bold(`3  Idle for ${IDLE_SECONDS} s, with keepalive`));
  say(
    `   Nobody types. connect() was told { keepalive: { interval: ${String(PING_INTERVAL)} } }, so it pings:`,
  );
  const idleSince = performance.now();
  const sayPong = (rtt: number): void => {
    say(
      dim(
        `   after ${secondsSince(idleSince)} s  a ping; its pong came ${rtt.toFixed(1)} ms later`,
      ),
    );
  };
  socket.on('pong', sayPong);
  const error = await idle(session);
  socket.off('pong', sayPong);
  if (error) throw error;
  await runCommand(session, 'date');
  say('   The session lives.\n');
  results.push(`with keepalive the session lived through ${IDLE_SECONDS} idle seconds`);
}

async function idleWithoutKeepalive(url: string, login: SshLogin): Promise<void> {
  say(bold(`4  Idle for ${IDLE_SECONDS} s, without keepalive`));
  say('   The same again, with a new session that does not ping:');
  const session = await openSshSession(connect(url), login);
  await runCommand(session, 'date');
  const idleSince = performance.now();
  const error = await idle(session);
  if (!error) throw new Error('The proxy should have cut the idle session, and it lives.');
  const when = secondsSince(idleSince);
  say(
    `   after ${when} s  ${red('the session died.')} The SSH client got this error, with code ${String(error.code)}:`,
  );
  say(`   ${error.message}`);
  say(
    '   That is what users see who come back from lunch. At least they are told: a cut never looks like an end.\n',
  );
  await session.close();
  holds(error.code === 'ECONNRESET', `without keepalive it died after ${when} s, with ECONNRESET`);
}

async function demonstrate(): Promise<void> {
  say(bold('\nws-conn-adapter: a WebSocket that behaves as a net.Socket\n'));
  say(
    '   Where a network lets nothing but web traffic through, a WebSocket still gets through. Here it carries',
  );
  say(
    '   what was made for TCP: an SSH session, of a client and a server that know nothing of WebSockets.\n',
  );
  const ssh = makeSshServer();
  const server = createServer(ssh.serve);
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
