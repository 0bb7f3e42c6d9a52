import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';

import { WORKER_VARIABLE } from '../console/worker-variable.ts';
import type { ToPrimary, ToWorker } from './messages.ts';

/** Variables that are for the primary process alone: it is that which reports to systemd. */
const NOT_FOR_WORKERS = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

export interface WorkerHooks {
  readonly message: (message: ToPrimary, socket: Socket | undefined) => void;
  /** It is gone; how, such as `was killed by SIGKILL`. */
  readonly exit: (how: string, code: number | null) => void;
}

/** One worker: this command, started once more. */
export class WorkerProcess {
  /** Its number, from 1 on: it stays where the process is replaced. */
  readonly number: number;
  /** Whether it takes connections. */
  ready = false;
  /** TCP connections that it has, as far as that is known here. */
  load = 0;
  readonly #child: ChildProcess;

  constructor(number: number, hooks: WorkerHooks) {
    this.number = number;
    const env = { ...process.env, [WORKER_VARIABLE]: String(number) };
    for (const name of NOT_FOR_WORKERS) Reflect.deleteProperty(env, name);
    const [, main = '', ...args] = process.argv;
    const child = fork(main, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child = child;
    child.on('message', (message, socket) => {
      hooks.message(message as ToPrimary, socket as Socket | undefined);
    });
    // It could not be started, or not be told something: 'exit' follows, or has come.
    child.on('error', () => undefined);
    let gone = false;
    const onGone = (how: string, code: number | null): void => {
      if (gone) return;
      gone = true;
      this.ready = false;
      hooks.exit(how, code);
    };
    child.on('exit', (code, signal) => {
      onGone(signal ? `was killed by ${signal}` : `has exited with ${String(code)}`, code);
    });
    if (child.pid === undefined) {
      child.once('error', (error) => {
        onGone(`could not be started (${error.message})`, null);
      });
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Tells it something; what cannot be told any more is dropped, and its socket closed. */
  send(message: ToWorker, socket?: Socket): void {
    if (this.#child.connected) this.#child.send(message, socket);
    else socket?.destroy();
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
