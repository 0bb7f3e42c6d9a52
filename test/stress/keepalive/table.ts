/** The keepalive table for people: one table a phase, made from a run of its cells. */
import {
  type Cell,
  impossible,
  PEERS,
  PHASES,
  QUEUES,
  READING,
  REASONS,
  TRAFFIC,
} from './cells.ts';
import { inWords } from './promise.ts';
import { simulate, TIMING } from './simulate.ts';

const INTRODUCTION = `# When a keepalive takes its peer for dead

What a [Keepalive](api.md#keepalive) does in each combination of what a connection may be doing. The rule behind it is in
[load-balancers.md](load-balancers.md#the-rule). This page is made from a run, and a test holds it to one:
\`node --import tsx test/stress/keepalive/write-table.ts\`.

## How to read it

Each table is a phase of the connection. A row says what moves: payload that comes in or goes out, whether our side reads
(paused is the WebSocket itself, held back by a full reader), and what waits in the send queue. A queue that drains does so
at 16 kB/s; one that is stuck lets nothing through, pings neither. "Any" stands for rows that are the same. A column says
when the peer answers a ping that has reached it: at once, after half a \`pongTimeout\` (late), after one and a half (too
late), or never.

| a cell | what it means |
| --- | --- |
| alive | the peer is asked, and something comes in time: the pong, or any other byte |
| alive; no ping | bytes move both ways, so nothing needs to be asked |
| dead after 1.0 pongTimeout | 'dead', so long after the first ping that was not answered. The ping comes at most an \`interval\` after the connection fell silent |
| dead after 1.0 pongTimeout + 8.2 s | the same, where the ping has 64 KiB of a burst before it, which may take 8.2 s on the slowest link |
| never | there is no verdict: the keepalive does not run yet, and the handshake has a time limit of its own |
| never; shows life | our side reads nothing, so the clock stands still; unsolicited pongs show the peer that we live |
| never; the kernel asks | nothing may follow our Close, so the kernel's keepalive is switched on. \`close()\` has its \`closeTimeout\` |
| — | cannot be, for the reason with this letter |
`;

const MEANWHILE: Readonly<Record<Cell['phase'], string>> = {
  'before open': 'The handshake is under way.',
  open: 'Both directions are open.',
  'half closed':
    'One direction has ended by a FIN: the one without traffic. The keepalive goes on as before.',
  closing: 'Our Close was written. Behind a queue it has not left yet.',
};

/** Returns the words for a cell, from a run of it. */
export function cellText(cell: Cell): string {
  const reason = impossible(cell);
  return reason ? `— (${reason})` : inWords(simulate(cell), TIMING);
}

type Row = readonly [reading: string, queue: string, ...texts: string[]];

function rowsOf(phase: Cell['phase']): string[] {
  return TRAFFIC.flatMap((traffic) => {
    const rows = READING.flatMap((reading) => {
      const each = QUEUES.map((queue): Row => {
        const texts = PEERS.map((peer) => cellText({ phase, traffic, reading, queue, peer }));
        return [reading, queue, ...texts];
      });
      return merged(each, 1);
    });
    return merged(rows, 0).map((row) => `| ${[traffic, ...row].join(' | ')} |`);
  });
}

/** Returns one row for those that differ in a column alone, or the rows as they are. */
function merged(rows: readonly Row[], column: 0 | 1): readonly Row[] {
  const other = 1 - column;
  const restOf = (row: Row): string => [row[other], ...row.slice(2)].join('|');
  const [first] = rows;
  if (!first || rows.some((row) => restOf(row) !== restOf(first))) return rows;
  const [reading, queue, ...texts] = first;
  return [column === 0 ? ['any', queue, ...texts] : [reading, 'any', ...texts]];
}

/** Runs all cells, and returns the page. */
export function keepaliveTable(): string {
  const head = ['traffic', 'our side', 'send queue', ...PEERS.map((peer) => `peer: ${peer}`)];
  const tables = PHASES.map((phase) => {
    const title = phase.charAt(0).toUpperCase() + phase.slice(1);
    const rows = [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rowsOf(phase)];
    return `## ${title}\n\n${MEANWHILE[phase]}\n\n${rows.join('\n')}\n`;
  });
  const reasons = Object.entries(REASONS).map(([letter, why]) => `- (${letter}) ${why}`);
  return [INTRODUCTION, ...tables, `## What cannot be\n\n${reasons.join('\n')}\n`].join('\n');
}
