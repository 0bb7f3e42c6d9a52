import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The program in Go that is the target and the clients; what it can be asked is in load/main.go. */
export interface Load {
  /** Port of the target. */
  readonly target: number;
  /** Has it measured; returns its figures. @throws what went wrong */
  readonly ask: (question: string) => Promise<readonly number[]>;
  readonly stop: () => void;
}

/** Builds the program into that folder; returns its file, or undefined where there is no Go. */
export function buildLoad(folder: string): string | undefined {
  const file = path.join(folder, 'load');
  const cwd = path.join(import.meta.dirname, 'load');
  const { status } = spawnSync('go', ['build', '-o', file, '.'], { cwd, stdio: 'inherit' });
  return status === 0 ? file : undefined;
}

export async function startLoad(file: string): Promise<Load> {
  const child = spawn(file, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next: IteratorResult<string> = await lines.next();
    if (next.done) throw new Error('the load has ended before it answered');
    return next.value;
  };
  return {
    target: Number(await line()),
    async ask(question) {
      child.stdin.write(`${question}\n`);
      const answer = await line();
      if (answer.startsWith('error')) throw new Error(`${question}: ${answer}`);
      return answer.split(' ').map(Number);
    },
    stop() {
      child.kill();
    },
  };
}
