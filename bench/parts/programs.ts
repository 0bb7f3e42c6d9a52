import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'yamux-bench';
const INTEROP = new URL('../../test/interop/', import.meta.url);

/** A program in another language, which is built when it is needed. */
export interface Program {
  /** What has to be installed. */
  readonly needs: string;
  /** Returns the file of the program; null where it cannot be built. */
  build(): string | null;
}

function run(command: string, args: readonly string[], folder: string, env = {}): boolean {
  const { status } = spawnSync(command, args, {
    cwd: fileURLToPath(new URL(folder, INTEROP)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0;
}

function outputFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ws-conn-adapter-bench-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** hashicorp/yamux over gorilla/websocket. */
export const goYamux: Program = {
  needs: 'Go',
  build() {
    const file = path.join(outputFolder(), NAME);
    return run('go', ['build', '-o', file, `./${NAME}`], 'go/') ? file : null;
  },
};

/** rust-yamux over tungstenite; what is built is kept, since it takes a minute. */
export const rustYamux: Program = {
  needs: 'cargo',
  build() {
    const folder = fileURLToPath(new URL('../../node_modules/.cache/bench-cargo', INTEROP));
    const built = run('cargo', ['build', '--release', '--locked', '--quiet'], `rust/${NAME}/`, {
      CARGO_TARGET_DIR: folder,
    });
    return built ? path.join(folder, 'release', NAME) : null;
  },
};
