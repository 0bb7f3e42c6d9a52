/** Runs a cell of the table: the true Keepalive, over a WebSocket and a clock that are simulated. */
import type { WebSocket } from 'ws';

import { Keepalive } from '../../../src/index.ts';
import { answerDelay, type Cell, type Timing } from './cells.ts';
import type { Verdict } from './promise.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedWebSocket } from './simulated-websocket.ts';

export const TIMING: Timing = { interval: 1_000, pongTimeout: 500 };
/** Time in ms after which whoever is not dead will not be. */
const WINDOW = 30_000;
/** Bytes a ms of a queue that drains: twice the slowest link that there may be. */
const RATE = 16;
/** What waits in a queue that drains or stands still: more than drains in the window. */
const BACKLOG = { messages: 16, size: 65_536 };
/** Time in ms between two messages of a direction that has traffic, and their bytes. */
const TRAFFIC = { every: 100, bytes: 8 };

/** Returns what became of a connection that does what the cell says. */
export function simulate(cell: Cell): Verdict {
  const clock = new SimulatedClock();
  clock.install();
  try {
    return run(cell, clock);
  } finally {
    clock.uninstall();
  }
}

function run(cell: Cell, clock: SimulatedClock): Verdict {
  const { phase, traffic, peer } = cell;
  const delay = answerDelay(peer, TIMING);
  const answers: { readonly due: number; readonly payload: Buffer }[] = [];
  const ws = new SimulatedWebSocket((payload) => {
    answers.push({ due: clock.now + delay, payload });
  });
  const keepalive = new Keepalive(ws as unknown as WebSocket, TIMING);
  const deaths: number[] = [];
  keepalive.on('dead', () => deaths.push(clock.now));
  const write = (bytes: number): void => {
    ws.socket.write(bytes);
    keepalive.onSent();
  };
  if (phase !== 'before open') begin(cell, ws, write);
  while (deaths.length === 0 && clock.now < WINDOW) {
    clock.pass(1);
    ws.socket.drain(1);
    for (let [first] = answers; first && first.due <= clock.now; [first] = answers) {
      answers.shift();
      ws.answer(first.payload);
    }
    if (clock.now % TRAFFIC.every > 0) continue;
    if (traffic === 'in' || traffic === 'both') ws.receive(TRAFFIC.bytes);
    if (traffic === 'out' || traffic === 'both') write(TRAFFIC.bytes);
  }
  const watches = clock.pending > 0;
  keepalive.stop();
  const [died] = deaths;
  if (died === undefined) return livingOf(ws, watches);
  return { is: 'dead', after: died - Math.min(...ws.unanswered.values()) };
}

/** Brings an open connection to where the cell has it. */
function begin(
  { phase, reading, queue }: Cell,
  ws: SimulatedWebSocket,
  write: (bytes: number) => void,
): void {
  const { socket } = ws;
  ws.open();
  socket.rate = { empty: Infinity, draining: RATE, stuck: 0 }[queue];
  if (reading === 'paused') socket.pause();
  const { messages, size } = BACKLOG;
  for (let i = 0; i < messages && queue !== 'empty'; i++) write(size);
  // Half closed is not told apart here: it is a direction that has no traffic.
  if (phase === 'closing') ws.readyState = ws.CLOSING;
}

function livingOf(ws: SimulatedWebSocket, watches: boolean): Verdict {
  if (ws.socket.kernelAsks) return { is: 'never', and: 'the kernel asks' };
  if (ws.signsOfLife > 0) return { is: 'never', and: 'shows life' };
  if (!watches) return { is: 'never' };
  return { is: 'alive', pings: ws.pings > 0 };
}
