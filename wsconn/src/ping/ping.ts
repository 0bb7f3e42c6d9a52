import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import { EXIT_FAILURE, Failure } from '../console/failure.ts';
import type { OptionSpecs } from '../options/options.ts';
import { onceAskedToEnd } from '../console/signals.ts';
import { defineDialCommand } from '../dial/dial-command.ts';
import { openProbe, type Probe } from '../dial/probe.ts';
import { jsonReport, type PingReport, textReport } from './ping-report.ts';
import { PingStatistics } from './ping-statistics.ts';

const OPTIONS = {
  count: { value: 'NUMBER', help: 'number of pings (default until Ctrl-C)' },
  interval: { value: 'SECONDS', default: '1', help: 'time between pings' },
  json: { help: 'print one JSON object per line, for programs' },
} as const satisfies OptionSpecs;

/** Time in ms for an answer: TCP loses none, so a later one will hardly come. */
const PONG_LIMIT = 10_000;

export const ping = defineDialCommand<keyof typeof OPTIONS>({
  name: 'ping',
  usage: '[OPTIONS] URL',
  summary: 'measures round trips to a WebSocket server',
  details: [
    'It works with any server, since pings are part of the protocol. The exit code',
    'is 0 when every ping was answered.',
  ],
  options: OPTIONS,
  examples: ['wsconn ping --count 5 wss://example.org/ssh'],
  async run(values, dialer) {
    const count = values.count('count') ?? Infinity;
    const interval = values.milliseconds('interval', 0.001) ?? 0;
    const asked = new AbortController();
    const stopListening = onceAskedToEnd(() => {
      asked.abort();
    });
    const probe = await openProbe(dialer);
    const report = values.flag('json') ? jsonReport(dialer.url) : textReport(dialer.url, probe);
    const statistics = new PingStatistics();
    await report.begin();
    const broken = await sendPings(
      probe,
      { count, interval, signal: asked.signal },
      statistics,
      report,
    );
    stopListening();
    await probe.close();
    await report.end(statistics);
    if (broken) throw new Failure(`${dialer.place}: ${broken}`);
    return statistics.received > 0 && statistics.received === statistics.sent ? 0 : EXIT_FAILURE;
  },
});

interface Schedule {
  readonly count: number;
  readonly interval: number;
  readonly signal: AbortSignal;
}

/**
 * Pings until all are sent, somebody asks to end, or the connection ends. Returns how it ended
 * where that was not asked for.
 */
async function sendPings(
  probe: Probe,
  { count, interval, signal }: Schedule,
  statistics: PingStatistics,
  report: PingReport,
): Promise<string | undefined> {
  const stop = new AbortController();
  const broken = probe.ended.then(({ code, reason }) => {
    stop.abort();
    return reason === ''
      ? `the connection was cut (${String(code)})`
      : `the other end closed the connection (${String(code)}): ${reason}`;
  });
  const either = AbortSignal.any([signal, stop.signal]);
  const start = performance.now();
  for (let number = 1; number <= count && !either.aborted; number++) {
    const answer = probe.ping(PONG_LIMIT);
    const rtt = await Promise.race([answer, aborted(signal)]);
    // Nobody waits for the answer then, and none is missing.
    if (rtt === 'aborted') break;
    statistics.countSent();
    if (rtt !== null) statistics.countReceived(rtt);
    await report.answer(number, rtt);
    const due = start + number * interval - performance.now();
    if (number < count)
      await pause(Math.max(0, due), undefined, { signal: either }).catch(() => undefined);
  }
  return probe.open ? undefined : broken;
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    const onAbort = (): void => {
      resolve('aborted');
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
