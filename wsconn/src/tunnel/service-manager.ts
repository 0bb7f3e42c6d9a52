import { execFile } from 'node:child_process';

import type { Log } from '../log/log.ts';

/** Time in ms that systemd-notify has: it waits for the service manager for 5 s. */
const TIMEOUT = 10_000;
/** The longest period in ms that Node's timers can hold. */
const LONGEST_PERIOD = 2 ** 31 - 1;

/**
 * Tells systemd how a service does, as sd_notify(3) describes it. Node has no datagram sockets of
 * the unix kind, so `systemd-notify` sends for it, and the unit needs `NotifyAccess=all`.
 *
 * Messages go out in the order in which they are told. One that cannot be sent is a warning, once.
 */
export class ServiceManager {
  readonly #log: Log;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #watchdog: NodeJS.Timeout | undefined;
  #sent: Promise<void> = Promise.resolve();
  /** How many messages are not out yet. */
  #waiting = 0;
  #warned = false;

  constructor(log: Log, environment: NodeJS.ProcessEnv, pid: number) {
    const { PATH, NOTIFY_SOCKET } = environment;
    this.#log = log;
    // Neither secrets nor the variables of handed over sockets are any business of a child.
    this.#environment = { PATH, NOTIFY_SOCKET };
    const period = watchdogPeriod(environment, pid);
    if (period === undefined) return;
    // An event loop that is stuck sends nothing; that is what the watchdog is for.
    this.#watchdog = setInterval(() => {
      if (this.#waiting === 0) this.#tell('WATCHDOG=1');
    }, period);
  }

  /** Tells that the service has started. */
  ready(status: string): void {
    this.#tell('READY=1', statusOf(status));
  }

  /** Tells that it reads its files again; resolves when that is done, and told. */
  async reloading(done: Promise<void>): Promise<void> {
    const now = process.hrtime.bigint() / 1000n;
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${String(now)}`);
    try {
      await done;
    } finally {
      this.#tell('READY=1');
    }
  }

  /** Tells that it stops. */
  stopping(status: string): void {
    this.#tell('STOPPING=1', statusOf(status));
  }

  /** Resolves when all is told. */
  async end(): Promise<void> {
    clearInterval(this.#watchdog);
    await this.#sent;
  }

  #tell(...message: readonly string[]): void {
    this.#waiting++;
    this.#sent = this.#sent.then(async () => {
      const problem = await this.#send(message);
      this.#waiting--;
      if (problem === undefined || this.#warned) return;
      this.#warned = true;
      this.#log.warn(
        `systemd cannot be told ${message[0] ?? ''} (${problem}): install systemd-notify, and set NotifyAccess=all in the unit`,
      );
    });
  }

  /** Returns what went wrong, if anything did. */
  #send(message: readonly string[]): Promise<string | undefined> {
    return new Promise((resolve) => {
      const options = { env: this.#environment, timeout: TIMEOUT };
      execFile('systemd-notify', message, options, (error, _stdout, stderr) => {
        if (!error) resolve(undefined);
        else if (error.killed) resolve('no answer in time');
        else if (error.code === 'ENOENT') resolve('there is no systemd-notify');
        else resolve(stderr.trim() || `systemd-notify failed with ${String(error.code)}`);
      });
    });
  }
}

/** Returns half of the time in ms after which a silent service counts as stuck. */
function watchdogPeriod(
  { WATCHDOG_USEC = '', WATCHDOG_PID }: NodeJS.ProcessEnv,
  pid: number,
): number | undefined {
  const isOurs = WATCHDOG_PID === undefined || WATCHDOG_PID === String(pid);
  const half = Number(WATCHDOG_USEC) / 2000;
  if (!isOurs || !/^\d+$/.test(WATCHDOG_USEC) || half === 0) return undefined;
  return Math.min(Math.max(Math.floor(half), 1), LONGEST_PERIOD);
}

/** A line that the state of the unit shows. */
function statusOf(text: string): string {
  return `STATUS=${text.replace(/[\r\n]+/g, ' ')}`;
}
