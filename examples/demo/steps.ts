import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect, type WsConnAdapter } from 'ws-conn-adapter';

import { medianRoundTrip, sendAndReceive } from './measure.ts';
import type { SshLogin } from './ssh-server.ts';
import { openSshSession, type SshSession } from './ssh-session.ts';
import { bold, dim, red, say, showProgress } from './terminal.ts';

const MIB = 1024 * 1024;
const PAYLOAD = 64 * MIB;
/** Bytes of the transfer whose path is cut, and after how many of them, again and again. */
const CUT_PAYLOAD = 32 * MIB;
const CUT_EACH = 8 * MIB;
/** Time in ms after which the proxy cuts an idle connection. */
export const IDLE_LIMIT = 2_000;
const IDLE_TIME = 6_000;
const IDLE_SECONDS = String(IDLE_TIME / 1000);
/** Time in ms between two looks of the keepalive. */
export const PING_INTERVAL = 750;

/** What was shown, a line each. */
export const results: string[] = [];

/** Notes a promise that was kept; throws where it was not. */
function holds(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`This did not hold: ${promise}`);
  results.push(promise);
}

/** Leaves the session idle. Returns the error that ended it meanwhile, if any. */
async function idle(session: SshSession): Promise<NodeJS.ErrnoException | null> {
  const enough = new AbortController();
  const over = sleep<null>(IDLE_TIME, null, { signal: enough.signal });
  const error = await Promise.race([session.ended, over]);
  over.catch(() => undefined); // It rejects where the session ended first.
  enough.abort();
  return error;
}

/** Returns the time since then, in seconds. */
export function secondsSince(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

async function runCommand(session: SshSession, command: string): Promise<string> {
  say(`   $ ${bold(command)}`);
  const answer = (await session.run(command)).trimEnd();
  say(`   ${answer}`);
  return answer;
}

/** Runs a command, and measures how long one key press takes. */
export async function commandOverWebSocket(session: SshSession): Promise<void> {
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

/** Sends 64 MiB and reads them back at the same time. */
export async function moveMuch(session: SshSession): Promise<void> {
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

/** Shows that an idle session with keepalive lives. */
export async function idleWithKeepalive(session: SshSession, socket: WsConnAdapter): Promise<void> {
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

/** Shows that an idle session without keepalive is cut, and what its user sees. */
export async function idleWithoutKeepalive(url: string, login: SshLogin): Promise<void> {
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
    '   That is what users see after lunch. At least they see it: a cut never looks like an end.\n',
  );
  await session.close();
  holds(error.code === 'ECONNRESET', `without keepalive it died after ${when} s, with ECONNRESET`);
}

/** Shows that a transfer goes on where the path is cut in its middle, with the same bytes. */
export async function cutInMidTransfer(
  url: string,
  login: SshLogin,
  cut: () => void,
): Promise<void> {
  const size = `${String(CUT_PAYLOAD / MIB)} MiB`;
  say(bold(`5  ${size} there and back, and the path is cut in the middle`));
  say(
    '   connect() was told { resume: true }, as createServer() was, so the connection outlives its WebSocket:',
  );
  const socket = connect(url, { resume: true });
  let [done, cutAt, cuts, longest] = [0, CUT_EACH, 0, 0];
  let reason = '';
  socket.on('disconnect', (error: NodeJS.ErrnoException) => {
    reason = String(error.code);
  });
  socket.on('reconnect', (count: number, ms: number) => {
    cuts = count;
    longest = Math.max(longest, ms);
    const at = `after ${(done / MIB).toFixed(0).padStart(2)} MiB`;
    const back = `WebSocket ${String(count + 1)} took over ${String(ms)} ms later`;
    say(dim(`   ${at}  the path was cut (${reason}); ${back}`));
  });
  const session = await openSshSession(socket, login);
  const echo = await sendAndReceive(await session.start('cat'), CUT_PAYLOAD, (bytes) => {
    done += bytes;
    if (done < cutAt || done >= CUT_PAYLOAD) return;
    cutAt += CUT_EACH;
    cut();
  });
  say(`   SHA-256 of what went in:  ${echo.sentHash}`);
  say(`   SHA-256 of what came out: ${echo.receivedHash}\n`);
  const error = await session.close();
  if (error) throw error;
  holds(
    echo.sentHash === echo.receivedHash && cuts > 0,
    `with resume ${size} came back whole over ${String(cuts)} cuts in the middle; the longest pause was ${String(longest)} ms`,
  );
}
