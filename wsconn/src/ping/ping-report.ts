import { print } from '../console/print.ts';
import { showUrl } from '../console/secrets.ts';
import type { Probe } from '../dial/probe.ts';
import type { PingStatistics } from './ping-statistics.ts';

/** Prints a run of pings. */
export interface PingReport {
  begin(): Promise<void>;
  /** One round trip in ms, or null where no answer came in time. */
  answer(number: number, rtt: number | null): Promise<void>;
  end(statistics: PingStatistics): Promise<void>;
}

/** Prints for a person, in the format of ping(8). */
export function textReport(url: URL, probe: Probe): PingReport {
  const { from } = probe;
  return {
    begin: () => print(`PING ${showUrl(url)} (${from})`),
    answer: (number, rtt) => {
      const what = rtt === null ? 'no answer' : `pong from ${from}`;
      const time = rtt === null ? '' : ` time=${ms(rtt)} ms`;
      return print(`${what}: seq=${String(number)}${time}`);
    },
    end: async ({ sent, received, roundTrips }) => {
      await print(`\n--- ${showUrl(url)} ping statistics ---`);
      const loss = sent === 0 ? 0 : ((sent - received) / sent) * 100;
      await print(
        `${String(sent)} pings sent, ${String(received)} answered, ${loss.toFixed(0)}% unanswered`,
      );
      if (!roundTrips) return;
      const { min, avg, max, mdev } = roundTrips;
      await print(`round trip min/avg/max/mdev = ${[min, avg, max, mdev].map(ms).join('/')} ms`);
    },
  };
}

/** Prints for a program, one JSON object per line: one for each ping, and one at the end. */
export function jsonReport(url: URL): PingReport {
  return {
    begin: () => Promise.resolve(),
    answer: (number, rtt) => print(JSON.stringify({ seq: number, rtt: rounded(rtt) })),
    end: ({ sent, received, roundTrips }) => {
      const { min, avg, max, mdev } = roundTrips ?? { min: null, avg: null, max: null, mdev: null };
      const trips = {
        min: rounded(min),
        avg: rounded(avg),
        max: rounded(max),
        mdev: rounded(mdev),
      };
      return print(JSON.stringify({ url: showUrl(url), sent, received, ...trips }));
    },
  };
}

function ms(value: number): string {
  return value.toFixed(3);
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
