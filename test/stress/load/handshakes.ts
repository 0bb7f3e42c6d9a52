/** Clients that connect and do not ask, or half: they are refused in time, and others are served. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';

import { connect } from '../../../src/index.ts';
import { type Case, type CaseOptions, type CaseResult, check, within, Work } from './case.ts';
import { listen } from './endpoint.ts';
import { measureLoopDelay } from './loop-delay.ts';
import { settled } from './memory.ts';
import type { Refusals } from './silent-clients.ts';

const FULL = 10_000;
const LEAST = 200;
/** File descriptors that are left to the rest of a process. */
const SPARE = 200;
/** Time in ms that a client has to ask. */
const HANDSHAKE_TIMEOUT = 1_500;
/** Time in ms by which a refusal may be late: it is looked for now and then, and for thousands. */
const SLACK = 6_000;
const PATIENCE = 30_000;
/** Bytes that a client which was refused may leave behind, beside what all of them do. */
const LEFT_BEHIND = 500;
const LEFT_BY_ALL = 4 * 1_048_576;

/** Files that a process may have open; `ulimit -n`. */
function fileLimit(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    readonly userLimits: { readonly open_files: { readonly soft: number | 'unlimited' } };
  };
  const { soft } = userLimits.open_files;
  return soft === 'unlimited' ? Infinity : soft;
}

/** Talks to the server as long as it is told, and returns how long the slowest round took in ms. */
async function talk(
  url: string,
  goesOn: () => boolean,
): Promise<{ slowest: number; rounds: number }> {
  let slowest = 0;
  let rounds = 0;
  do {
    const since = performance.now();
    const socket = connect(url, { handshakeTimeout: PATIENCE });
    socket.on('error', () => undefined);
    socket.end('hello');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    check(answer === 'hello', 'a good client is served while others hang');
    slowest = Math.max(slowest, performance.now() - since);
    rounds++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (goesOn());
  return { slowest, rounds };
}

async function run(options: CaseOptions): Promise<CaseResult> {
  const work = new Work(options, FULL, LEAST);
  const atOnce = Math.min(FULL, work.size, fileLimit() - SPARE);
  const { server, url, port } = await listen({
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    allowHalfOpen: true,
  });
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  const script = fileURLToPath(new URL('silent-clients.ts', import.meta.url));
  const clients: ChildProcess = fork(script, { execArgv: ['--import', 'tsx'] });
  const before = await settled();
  const loopDelay = measureLoopDelay();
  let done = 0;
  let all: Refusals = { refused: 0, others: 0, first: Infinity, last: 0 };
  let good = { slowest: 0, rounds: 0 };
  while (done === 0 || work.goesOn(done)) {
    clients.send({ port, count: atOnce });
    let isOver = false;
    const over = EventEmitter.once(clients, 'message') as Promise<[Refusals]>;
    const talking = talk(url, () => !isOver);
    const [round] = await within(PATIENCE, over, () => 'not every silent client is refused');
    isOver = true;
    const talked = await within(PATIENCE, talking, () => 'a good client is not served');
    good = { slowest: Math.max(good.slowest, talked.slowest), rounds: good.rounds + talked.rounds };
    all = {
      refused: all.refused + round.refused,
      others: all.others + round.others,
      first: Math.min(all.first, round.first),
      last: Math.max(all.last, round.last),
    };
    done += atOnce;
  }
  const late = loopDelay();
  clients.disconnect();
  await server.close();
  const left = (await settled()) - before;
  const times = `after ${all.first.toFixed(0)} to ${all.last.toFixed(0)} ms`;
  check(all.others === 0, `each silent client gets 408; ${String(all.others)} did not`);
  check(all.refused === done, 'each silent client is refused');
  check(all.first >= HANDSHAKE_TIMEOUT - 10, `none is refused before its time: ${times}`);
  check(all.last <= HANDSHAKE_TIMEOUT + SLACK, `all are refused in time: ${times}`);
  check(
    left < LEFT_BY_ALL + done * LEFT_BEHIND,
    `refused clients leave nothing: ${String(left)} bytes in all`,
  );
  const scaled = atOnce < Math.min(FULL, work.size) ? ` (ulimit -n is ${String(fileLimit())})` : '';
  return {
    counts: { handshakes: done },
    notes: [
      `${String(done)} half-open handshakes, ${String(atOnce)} at a time${scaled}: refused with 408 ` +
        `${times} (handshakeTimeout ${String(HANDSHAKE_TIMEOUT)}), ${(left / 1024).toFixed(0)} KiB more in use behind them`,
      `${String(good.rounds)} good clients meanwhile, the slowest in ${good.slowest.toFixed(0)} ms`,
      late,
    ],
  };
}

export const handshakes: Case = { name: 'handshakes', weight: 3, run };
