/** A writer that is much faster than its reader, both in this process: neither fills the memory. */
import { EventEmitter } from 'node:events';

import { belongsAt, bytesAt } from '../pattern.ts';
import { type Case, type CaseOptions, type CaseResult, check, within, Work } from './case.ts';
import { pair } from './endpoint.ts';
import { mib, settled } from './memory.ts';

const MIB = 1_048_576;
const FULL = 1_024 * MIB;
const LEAST = 32 * MIB;
const CHUNK = 65_536;
/** Bytes that the reader takes before it does something else for a while. */
const BITE = MIB;
/** Bytes that the queues of both ends may hold: their high-water marks, and a write or message each. */
const QUEUES = 512 * 1024;
/** Bytes of memory in use, with garbage not collected yet. */
const LIMIT = 160 * MIB;
const LEFT_BEHIND = 16 * MIB;
const PATIENCE = 30_000;

async function run(options: CaseOptions): Promise<CaseResult> {
  const work = new Work(options, FULL, LEAST);
  const { client, served, server } = await pair();
  let [sent, got, queued, peak, pauses] = [0, 0, 0, 0, 0];
  const bytes = { wrong: false };
  const before = await settled();
  const baseRss = process.memoryUsage.rss();
  client.on('data', (chunk: Buffer) => {
    if (!belongsAt(got, chunk)) bytes.wrong = true;
    if (Math.floor((got + chunk.length) / BITE) > Math.floor(got / BITE)) {
      // The reader is away for some turns, in which the writer could go on.
      pauses++;
      client.pause();
      setTimeout(() => client.resume(), 1);
    }
    got += chunk.length;
  });
  const look = (): void => {
    queued = Math.max(
      queued,
      served.writableLength + served.ws.bufferedAmount + client.readableLength,
    );
    peak = Math.max(peak, process.memoryUsage.rss() - baseRss);
  };
  const ended = EventEmitter.once(client, 'end');
  const since = performance.now();
  while (work.goesOn(sent)) {
    const flows = served.write(bytesAt(sent, CHUNK));
    sent += CHUNK;
    if (sent % BITE === 0) look();
    const drained = EventEmitter.once(served, 'drain');
    if (!flows) await within(PATIENCE, drained, () => 'the writer may not go on');
  }
  served.end();
  await within(PATIENCE, ended, () => 'the reader is not at the end');
  const rate = got / (performance.now() - since) / 1000;
  await Promise.all([client.close(), served.close()]);
  await within(PATIENCE, server.close(), () => 'the server is not closed');
  const left = (await settled()) - before;
  check(!bytes.wrong && got === sent, 'all bytes arrive, in order');
  check(queued <= QUEUES, `the queues stay short: ${String(queued)} bytes`);
  check(peak <= LIMIT, `the memory stays small: ${mib(peak)} MiB more than before`);
  check(left <= LEFT_BEHIND, `nothing is left: ${mib(left)} MiB`);
  return {
    counts: { bytes: got },
    notes: [
      `${mib(got)} MiB of ${mib(work.size)} past a reader that paused ${String(pauses)} times, ` +
        `${rate.toFixed(0)} MB/s: at most ${String(queued)} bytes in the queues of both ends, RSS up ` +
        `by ${mib(peak)} MiB at most, ${mib(left)} MiB left`,
    ],
  };
}

export const slowReader: Case = { name: 'slow reader', weight: 2, run };
