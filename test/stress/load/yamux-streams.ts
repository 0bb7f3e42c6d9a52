/** Very many streams over one session, many at a time: none is lost, and none leaves anything. */
import { YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import { type Case, type CaseOptions, type CaseResult, check, within, Work } from './case.ts';
import { pair } from './endpoint.ts';
import { MemoryTrend } from './memory.ts';

const FULL = 100_000;
const LEAST = 1_000;
/** Streams that are open at a time; more than a backlog, so that some wait for their turn. */
const AT_ONCE = 300;
const PATIENCE = 20_000;
const SAMPLES = 40;

/** Reads a stream to its end; resolves at 'close' with what came. */
function readAll(stream: YamuxStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    stream.on('error', reject);
    stream.on('close', () => {
      resolve(text);
    });
  });
}

async function run(options: CaseOptions): Promise<CaseResult> {
  const work = new Work(options, FULL, LEAST);
  const { client, served, server } = await pair();
  const a = new YamuxSession(client, { role: 'client' });
  const b = new YamuxSession(served, { role: 'server' });
  let accepted = 0;
  let ended = 0;
  b.on('stream', (stream) => {
    accepted++;
    stream.on('error', () => undefined).on('close', () => ended++);
    stream.pipe(stream);
  });
  const trend = new MemoryTrend('streams');
  const sampleEvery = Math.max(1, Math.floor(work.size / SAMPLES));
  const since = performance.now();
  let begun = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (work.goesOn(begun)) {
      const text = `stream ${String(begun++)}`;
      const stream = a.open();
      stream.end(text);
      const echo = await within(PATIENCE, readAll(stream), () => `${text} is not over`);
      check(echo === text, `${text} gets its own bytes back, and not ${echo}`);
      if (++done % sampleEvery === 0) trend.sample(done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const rate = (done / (performance.now() - since)) * 1000;
  check((await a.close()) === null && (await b.close()) === null, 'the sessions end without error');
  check(
    accepted === done && ended === done,
    `each of ${String(done)} streams came and closed once`,
  );
  check(a.numStreams === 0 && b.numStreams === 0, 'no stream is left');
  await within(PATIENCE, server.close(), () => 'the server is not closed');
  return {
    counts: { streams: done },
    notes: [
      `${String(done)} streams of ${String(work.size)} over one session, ${String(AT_ONCE)} at a ` +
        `time, ${rate.toFixed(0)} a second: none unaccounted for`,
      trend.report(),
    ],
  };
}

export const yamuxStreams: Case = { name: 'yamux streams', weight: 4, run };
