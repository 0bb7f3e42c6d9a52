import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One line of JSON from a peer. */
export type Answer = Readonly<Record<string, unknown>>;

/** A program of another process that answers with lines of JSON, and takes such lines as orders. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #answers: Answer[] = [];
  readonly #takers = new Set<() => void>();
  readonly #exited: Promise<void>;
  #errors = '';
  #gone = false;

  constructor(program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // A command after its end is lost. The answer that does not come shows it.
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#answers.push(JSON.parse(line) as Answer);
      this.#wake();
    });
    this.#exited = new Promise((resolve) => {
      child.once('close', () => {
        this.#gone = true;
        this.#wake();
        resolve();
      });
    });
  }

  /**
   * Resolves with the next answer that has this key, and takes it away; rejects when the process
   * ends before.
   */
  answer(key: string): Promise<Answer> {
    return this.answerWith((answer) => key in answer, key);
  }

  /** Does the same for an answer that fits; `name` is what an error calls it. */
  async answerWith(fits: (answer: Answer) => boolean, name: string): Promise<Answer> {
    for (;;) {
      const index = this.#answers.findIndex(fits);
      const [found] = index === -1 ? [] : this.#answers.splice(index, 1);
      if (found) return found;
      if (this.#gone)
        throw new Error(`the peer ended without the answer '${name}': ${this.#errors}`);
      await new Promise<void>((resolve) => this.#takers.add(resolve));
    }
  }

  order(order: Answer): void {
    this.write(JSON.stringify(order));
  }

  /** Sends one line. */
  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Ends the process as the kernel ends one: it gets no time to say anything. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    this.kill();
    await this.#exited;
  }

  #wake(): void {
    for (const wake of this.#takers) wake();
    this.#takers.clear();
  }
}
