/** The end of a reverse dialer on a device, under a server that may send anything. */
import { RevdialListener } from '../../../../src/revdial/index.ts';
import { inputsOf } from '../inputs.ts';
import { bits, check, checkKnown, few, type Input, kindOf, type Target } from '../target.ts';
import { controlBytes } from './control-lines.ts';
import { bringAll, turn, Wire } from './wire.ts';

/** Bytes of one line at most, and what this side writes by itself. */
const LINE = 4_096;
const BACKLOG = 2;

async function run(input: Input): Promise<string[]> {
  const wire = new Wire();
  const asked: string[] = [];
  const dialBack = (connPath: string, signal: AbortSignal): Promise<never> => {
    asked.push(connPath);
    const failure = new Error('no way there');
    if (bits(input, 0) === 0) return Promise.reject(failure);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(failure);
      });
    });
  };
  const listener = new RevdialListener(wire, dialBack, { backlog: BACKLOG });
  const events: string[] = [];
  listener.on('dialBackFailed', () => events.push('dialBackFailed'));
  const closed = new Promise<Error | null>((resolve) => {
    listener.on('close', (error) => {
      events.push('close');
      resolve(error);
    });
  });
  await bringAll(wire, input.chunks, bits(input, 1) === 1);
  await turn();
  if (bits(input, 2) === 1) void listener.close();
  wire.bringEnd(bits(input, 3) === 1 ? 'reset' : 'FIN');
  const error = await closed;
  check((await listener.close()) === error, "close() resolves with the error of 'close'");
  await turn();

  check(events.filter((name) => name === 'close').length === 1, "a listener has one 'close'");
  check(events.at(-1) === 'close', "nothing comes after 'close'");
  if (error) checkKnown(error);
  for (const path of asked) {
    const url = new URL(`ws://good.example:1${path}`);
    check(url.host === 'good.example:1' && url.hash === '', `${path} leads to no other host`);
    check(new URL(path, 'ws://good.example:1').host === url.host, `${path} is a path alone`);
  }
  check(wire.written <= LINE * (2 + events.length), 'a server gets no flood for a few bytes');
  for (const name of ['data', 'error', 'close'])
    check(wire.listenerCount(name) === 0, `no listener of '${name}' is left`);
  return [kindOf(error), [...new Set(events)].join(' '), `${few(asked.length)} asked`];
}

export const control: Target = {
  name: 'revdial-control',
  weight: 2,
  inputs: inputsOf(controlBytes, 6),
  run,
};
