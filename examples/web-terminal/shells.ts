import type { Audience } from './shell.ts';
import { Shell } from './shell.ts';
import type { Settings } from './settings.ts';
import type { FromPage } from './shared/protocol.ts';

/** The shells there are, and how long those wait whose page was cut off. */
export class Shells {
  readonly #login: Settings['login'];
  readonly #keepFor: number;
  readonly #shells = new Map<string, Shell>();
  readonly #waiting = new Map<Shell, NodeJS.Timeout>();

  constructor({ login, keepFor }: Pick<Settings, 'login' | 'keepFor'>) {
    this.#login = login;
    this.#keepFor = keepFor;
  }

  /** Gives a page the shell that it had, or a new one where that is gone. */
  attach(audience: Audience, hello: Extract<FromPage, { type: 'hello' }>): Shell {
    const wanted = hello.shell;
    const known = wanted && this.#shells.get(wanted.id);
    const shell = known ?? this.#open(hello);
    clearTimeout(this.#waiting.get(shell));
    this.#waiting.delete(shell);
    if (known) shell.resize(hello.size);
    shell.attach(audience, known ? wanted.received : 0);
    return shell;
  }

  /** Lets a shell wait for its page to come back. */
  keep(shell: Shell): void {
    const timer = setTimeout(() => {
      this.end(shell);
    }, this.#keepFor);
    this.#waiting.set(shell, timer);
  }

  /** Ends a shell and forgets it. */
  end(shell: Shell): void {
    clearTimeout(this.#waiting.get(shell));
    this.#waiting.delete(shell);
    this.#shells.delete(shell.id);
    shell.end();
  }

  /** Ends all of them; resolves when their connections are closed. */
  async endAll(): Promise<void> {
    const shells = [...this.#shells.values()];
    for (const shell of shells) this.end(shell);
    await Promise.all(shells.map(({ closed }) => closed));
  }

  #open({ size }: Extract<FromPage, { type: 'hello' }>): Shell {
    const shell = new Shell(this.#login, size);
    this.#shells.set(shell.id, shell);
    return shell;
  }
}
