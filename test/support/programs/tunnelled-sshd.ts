import { afterAll, beforeAll } from 'vitest';

import { describeWith, printed, type Running, startExample } from './program.ts';
import { type Sshd, startSshd } from './sshd.ts';

/** A private sshd, and the example tcp-tunnel before it. */
export class TunnelledSshd {
  #sshd: Sshd | null = null;
  #tunnel: Running | null = null;
  #url = '';

  /** Defines tests that run while both do; see `describeWith()`. */
  static describe(title: string, define: (tunnelled: TunnelledSshd) => void): void {
    describeWith('sshd', title, (program) => {
      const tunnelled = new TunnelledSshd();
      beforeAll(() => tunnelled.#start(program));
      afterAll(() => tunnelled.#stop());
      define(tunnelled);
    });
  }

  get sshd(): Sshd {
    if (!this.#sshd) throw new Error('sshd runs while tests do, and not before');
    return this.#sshd;
  }

  /** Where the tunnel listens. */
  get url(): string {
    return this.#url;
  }

  async #start(program: string): Promise<void> {
    this.#sshd = await startSshd(program);
    this.#tunnel = startExample(
      'tcp-tunnel.ts',
      'server',
      '0',
      `127.0.0.1:${String(this.#sshd.port)}`,
    );
    this.#url = (await printed(this.#tunnel, /ws:\S+/))[0];
  }

  async #stop(): Promise<void> {
    await this.#tunnel?.stop();
    await this.#sshd?.stop();
  }
}
