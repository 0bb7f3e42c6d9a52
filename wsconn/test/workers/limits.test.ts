/** Limits of `serve --workers`: they hold for all workers together. */
import { once } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { runWsconn } from '../../../test/support/wsconn.ts';
import { dial } from '../../../test/support/peers/dial.ts';
import { serveWithWorkers } from './start-workers.ts';

/** Opens a connection; resolves with whether it was let in. */
async function tryToDial(url: string): Promise<ReturnType<typeof dial> | undefined> {
  const adapter = dial(url);
  const isIn = await Promise.race([
    once(adapter, 'connect').then(
      () => true,
      () => false,
    ),
    closeOf(adapter).then(() => false),
  ]);
  return isIn ? adapter : undefined;
}

describe('wsconn serve --workers 2', () => {
  test('takes as many as --max-connections says, and one more where one has ended', async () => {
    const { program, url } = await serveWithWorkers(await target(echo), ['--max-connections', '3']);
    const all = await Promise.all(Array.from({ length: 10 }, () => tryToDial(url)));
    const open = all.filter((adapter) => adapter !== undefined);
    expect(open).toHaveLength(3);
    expect(program.stderr.match(/refused .* with 503/g)).toHaveLength(7);
    for (let round = 0; round < 4; round++) {
      const gone = open.shift();
      gone?.destroy();
      if (gone) await closeOf(gone);
      // It is counted until the other end has seen it go.
      await expect
        .poll(
          async () => {
            const next = await tryToDial(url);
            if (next) open.push(next);
            return next !== undefined;
          },
          { timeout: 20_000 },
        )
        .toBe(true);
      expect(await tryToDial(url)).toBeUndefined();
    }
  });

  test('divides --max-connections anew when a worker has died', async () => {
    const { program, url, pids } = await serveWithWorkers(await target(echo), [
      '--max-connections',
      '2',
    ]);
    expect(await tryToDial(url)).toBeDefined();
    expect(await tryToDial(url)).toBeDefined();
    expect(await tryToDial(url)).toBeUndefined();
    process.kill(pids[0], 'SIGKILL');
    await program.prints(/worker 1 is there again/);
    expect(await tryToDial(url)).toBeDefined();
    expect(await tryToDial(url)).toBeUndefined();
  });

  test('takes over a lower limit at SIGHUP', async () => {
    const folder = await makeFolder();
    onTestFinished(() => folder.remove());
    const to = await target(echo);
    const config = await folder.file('limit', 'serve: {max-connections: 4}\n');
    const { program, url } = await serveWithWorkers(to, ['--config', config]);
    const open = [await tryToDial(url), await tryToDial(url), await tryToDial(url)];
    expect(open).not.toContain(undefined);
    await folder.file('limit', 'serve: {max-connections: 2}\n');
    program.kill('SIGHUP');
    await program.prints(/read the configuration again/);
    open[0]?.destroy();
    open[1]?.destroy();
    await program.prints(/(?:connection \d\.\d (?:ended|failed)[^]*){2}/);
    await expect
      .poll(async () => (await tryToDial(url)) !== undefined, { timeout: 20_000 })
      .toBe(true);
    expect(await tryToDial(url)).toBeUndefined();
  });

  test('counts wrong tokens of an address over all workers', async () => {
    const { url } = await serveWithWorkers(await target(echo), [], {
      env: { WSCONN_TOKEN: 'right' },
    });
    const times: number[] = [];
    for (let i = 0; i < 4; i++) {
      const since = performance.now();
      const { stderr } = await runWsconn(['connect', url], { env: { WSCONN_TOKEN: 'wrong' } });
      expect(stderr).toContain('401');
      times.push(performance.now() - since);
    }
    // 250, 500 and 1000 ms: were each worker to count its own, none would take longer than 250.
    expect(Math.max(...times)).toBeGreaterThan(1000);
  });
});
