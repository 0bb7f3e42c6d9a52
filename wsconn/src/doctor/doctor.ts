import { usageFailure } from '../console/failure.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import { print } from '../console/print.ts';
import { showGiven, showUrl } from '../console/secrets.ts';
import { type EndSignal, exitCodeOf, onceAskedToEnd } from '../console/signals.ts';
import { defineDialCommand } from '../dial/dial-command.ts';
import type { Dialer } from '../dial/dialer.ts';
import { openProbe, type Probe } from '../dial/probe.ts';
import { advise } from './advice.ts';
import { type Diagnosis, diagnose, type Observation, type Observations } from './diagnosis.ts';
import { type Probes, watchProbes } from './watch-probes.ts';

/** Silences in seconds, chosen so that each limit in wide use lies between two of them. */
const STEPS = [5, 10, 20, 30, 45, 60, 90, 120, 240, 350];

/** Width of the progress bar, in characters. */
const BAR_WIDTH = 30;
/** Time in ms between two frames of the progress bar. */
const BAR_FRAME = 250;

const OPTIONS = {
  max: {
    value: 'SECONDS',
    default: '120',
    help: 'longest silence, and how long it takes',
  },
  steps: { value: 'SECONDS,…', help: `silences to try instead of ${STEPS.join(', ')}` },
  json: { help: 'print one JSON object, for programs' },
} as const satisfies OptionSpecs;

export const doctor = defineDialCommand<keyof typeof OPTIONS>({
  name: 'doctor',
  usage: '[OPTIONS] URL',
  summary: 'finds out what the path to a server does to idle connections',
  details: [
    'It opens several connections at once, leaves each silent for a different time,',
    'and keeps pinging on one. Then it reports the idle limit of the path, whether',
    'pings keep a connection open, whether there is a limit on the total duration,',
    'and which --keepalive to use.',
  ],
  options: OPTIONS,
  examples: [
    'wsconn doctor wss://example.org/ssh',
    'wsconn doctor --steps 50,55,60,65 wss://example.org/ssh',
  ],
  async run(values, dialer, log) {
    const steps = readSteps(values);
    const longest = Math.max(...steps);
    const asked = new AbortController();
    let signal: EndSignal | undefined;
    const stopListening = onceAskedToEnd((which) => {
      signal = which;
      asked.abort();
    });
    const probes = await openAll(dialer, steps.length);
    const all = listOf(probes);
    log.info(
      `${String(all.length)} connections to ${dialer.place} are open; this takes ${String(longest)} s`,
    );
    const wipe = showProgress(longest);
    const observations = await watchProbes(probes, steps, asked.signal).finally(wipe);
    stopListening();
    await Promise.all(all.map((probe) => probe.close()));
    if (signal) return exitCodeOf(signal);
    const diagnosis = diagnose(observations);
    const circumstances = {
      longest,
      quiet: probes.pinging.quiet,
      heard: all.reduce((sum, { heard }) => sum + heard, 0),
    };
    if (values.flag('json')) await print(asJson(dialer.url, diagnosis, observations));
    else for (const line of advise(diagnosis, observations, circumstances)) await print(line);
    return 0;
  },
});

function readSteps(values: Values<'max' | 'steps'>): number[] {
  const most = (values.milliseconds('max', 1) ?? 0) / 1000;
  const text = values.text('steps');
  if (text === undefined) return [...STEPS.filter((step) => step < most), most];
  const steps = text.split(',').map(Number);
  if (steps.some((step) => !(step > 0 && step <= 86_400))) {
    throw usageFailure(
      `${values.nameOf('steps')} must be seconds with commas between, such as 1,2,3, but is ${showGiven(text)}`,
    );
  }
  return steps.sort((a, b) => a - b);
}

/** Opens one probe for each silence, one for pings, and one for data where the server echoes it. */
async function openAll(dialer: Dialer, silences: number): Promise<Probes> {
  // The first alone: a wrong URL or token fails it as it would fail all, and it shows which kind of
  // server this is.
  const pinging = await openProbe(dialer);
  const { quiet } = pinging;
  const [talking, silent] = await Promise.all([
    quiet ? openProbe(dialer) : null,
    Promise.all(Array.from({ length: silences }, () => openProbe(dialer, quiet))),
  ]);
  return { silent, pinging, talking };
}

function listOf({ silent, pinging, talking }: Probes): Probe[] {
  return [...silent, pinging, ...(talking ? [talking] : [])];
}

function asJson(
  url: URL,
  diagnosis: Diagnosis,
  { silent, pinging, talking }: Observations,
): string {
  const rounded = <T extends Observation>(one: T): T => ({
    ...one,
    after: Math.round(one.after * 1000) / 1000,
  });
  return JSON.stringify({
    url: showUrl(url),
    ...diagnosis,
    silent: silent.map(rounded),
    pinging: rounded(pinging),
    talking: talking && rounded(talking),
  });
}

/** Shows the progress on a terminal, and nothing elsewhere. Returns what stops it and wipes it. */
function showProgress(seconds: number): () => void {
  const out = process.stderr;
  if (!out.isTTY) return () => undefined;
  const start = performance.now();
  const draw = (): void => {
    const passed = Math.min(seconds, (performance.now() - start) / 1000);
    const filled = Math.round((passed / seconds) * BAR_WIDTH);
    const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
    out.write(`\r${bar} ${passed.toFixed(0)} of ${seconds.toFixed(0)} s`);
  };
  draw();
  const timer = setInterval(draw, BAR_FRAME);
  return () => {
    clearInterval(timer);
    // To the start of the line, and erase to its end (ECMA-48, CR and EL).
    out.write('\r\u001b[K');
  };
}
