import type { Command } from '../console/command.ts';
import { type Diagnosis, diagnose, type Observation, type Observations } from './diagnosis.ts';
import { Dialer, DIAL_OPTIONS } from '../dial/dialer.ts';
import { usageFailure } from '../console/failure.ts';
import { Log } from '../console/log.ts';
import { observe, type Patients } from './watch-probes.ts';
import { type OptionSpecs, readOptions, type Values } from '../console/options.ts';
import { print } from '../console/output.ts';
import { prescribe } from './advice.ts';
import { openProbe, type Probe } from '../dial/probe.ts';
import { showProgress } from '../console/progress-bar.ts';
import { type EndSignal, exitCodeOf, onceAskedToEnd } from '../console/signals.ts';

/** Silences in seconds, chosen so that each limit in wide use lies between two of them. */
const STEPS = [5, 10, 20, 30, 45, 60, 90, 120, 240, 350];

const OPTIONS = {
  max: {
    value: 'SECONDS',
    default: '120',
    help: 'longest silence to try; the examination takes that long',
  },
  steps: { value: 'SECONDS,…', help: `silences to try in place of ${STEPS.join(', ')}` },
  json: { help: 'print one JSON object, for machines' },
  ...DIAL_OPTIONS,
} as const satisfies OptionSpecs;

export const doctor: Command = {
  name: 'doctor',
  usage: '[OPTIONS] URL',
  summary: 'finds out what the path to a server does to idle connections',
  details: [
    'It opens some connections at once, leaves each silent for a different time,',
    'and pings on one all along. Then it says which idle limit the path has,',
    'whether pings hold a connection open, whether there is a limit on its total',
    'duration, and which --keepalive to use.',
  ],
  options: OPTIONS,
  argument: { name: 'url', help: 'the server: ws://HOST[:PORT][/PATH], or wss:// for TLS' },
  examples: [
    'wsconn doctor wss://example.org/ssh',
    'wsconn doctor --steps 50,55,60,65 wss://example.org/ssh',
  ],
  async run(args) {
    const values = readOptions(args, process.env, OPTIONS, 'url');
    const log = new Log('doctor', { verbose: values.flag('verbose') });
    const steps = readSteps(values);
    const longest = Math.max(...steps);
    const dialer = new Dialer(values);
    const asked = new AbortController();
    let signal: EndSignal | undefined;
    const stopListening = onceAskedToEnd((which) => {
      signal = which;
      asked.abort();
    });
    const patients = await openAll(dialer, steps.length);
    const all = probesOf(patients);
    log.info(
      `${String(all.length)} connections to ${dialer.url.host} are open; this takes ${String(longest)} s`,
    );
    const wipe = showProgress(longest);
    const observations = await observe(patients, steps, asked.signal).finally(wipe);
    stopListening();
    await Promise.all(all.map((probe) => probe.close()));
    if (signal) return exitCodeOf(signal);
    const diagnosis = diagnose(observations);
    const circumstances = {
      longest,
      quiet: patients.pinging.quiet,
      heard: all.reduce((sum, { heard }) => sum + heard, 0),
    };
    if (values.flag('json')) await print(asJson(dialer.url, diagnosis, observations));
    else for (const line of prescribe(diagnosis, observations, circumstances)) await print(line);
    return 0;
  },
};

function readSteps(values: Values<'max' | 'steps'>): number[] {
  const most = (values.milliseconds('max', 1) ?? 0) / 1000;
  const text = values.text('steps');
  if (text === undefined) return [...STEPS.filter((step) => step < most), most];
  const steps = text.split(',').map(Number);
  if (steps.some((step) => !(step > 0 && step <= 86_400))) {
    throw usageFailure(
      `${values.nameOf('steps')} must be seconds with commas between, such as 1,2,3, but is '${text}'`,
    );
  }
  return steps.sort((a, b) => a - b);
}

/**
 * Opens one connection for each silence, one for pings, and one for data where the server gives it
 * back.
 */
async function openAll(dialer: Dialer, silences: number): Promise<Patients> {
  // The first alone: what is wrong with the URL or the token is wrong with all, and it tells which
  // kind of server this is.
  const pinging = await openProbe(dialer);
  const { quiet } = pinging;
  const [talking, silent] = await Promise.all([
    quiet ? openProbe(dialer) : null,
    Promise.all(Array.from({ length: silences }, () => openProbe(dialer, quiet))),
  ]);
  return { silent, pinging, talking };
}

function probesOf({ silent, pinging, talking }: Patients): Probe[] {
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
    url: url.href,
    ...diagnosis,
    silent: silent.map(rounded),
    pinging: rounded(pinging),
    talking: talking && rounded(talking),
  });
}
