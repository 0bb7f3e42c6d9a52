/** The command behind real reverse proxies, which drop what idles for 2 s. */
import { setTimeout as pause } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import {
  haproxy,
  nginx,
  type Proxy,
  type ProxyKind,
  startProxy,
} from '../../../test/support/proxies/nginx-haproxy.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';

const IDLE_LIMIT = 2;
/** Time in ms that an idle session has to live: five times the limit. */
const SILENCE = 10_000;

/** Starts serve, which keeps still itself, and the proxy before it; gives the URL of the proxy. */
async function start(kind: ProxyKind, program: string): Promise<{ proxy: Proxy; url: string }> {
  const { port } = await serve(await target(echo), ['--keepalive', '0']);
  const proxy = await startProxy(kind, program, port, IDLE_LIMIT);
  onTestFinished(() => proxy.stop());
  return { proxy, url: `ws://127.0.0.1:${String(proxy.port)}` };
}

for (const kind of [nginx, haproxy]) {
  describeWith(kind.program, `behind a real ${kind.name}`, (program) => {
    test('an idle session lives with keepalive and dies without', { timeout: 60_000 }, async () => {
      const { url } = await start(kind, program);
      const kept = wsconn(['connect', '--keepalive', '1', url]);
      const left = wsconn(['connect', '--keepalive', '0', url]);
      for (const session of [kept, left]) {
        session.write('before ');
        await session.prints(/before /);
      }
      await pause(SILENCE);
      kept.write('and after');
      await kept.prints(/before and after/);
      kept.child.stdin.end();
      expect(await kept.ended).toMatchObject({ code: 0 });
      const { code, stderr } = await left.ended;
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^wsconn connect: .*cut.*\n$/) as string,
      });
    });

    test('doctor names the idle limit to within a second', { timeout: 60_000 }, async () => {
      const { url } = await start(kind, program);
      const { code, stdout } = await runWsconn(['doctor', '--steps', '1,2,3,4', '--json', url]);
      expect(code).toBe(0);
      const diagnosis = JSON.parse(stdout) as {
        idleLimit: { atLeast: number; atMost: number };
        pingsHold: boolean;
        durationLimit: number | null;
        keepalive: number;
      };
      expect(Math.abs(diagnosis.idleLimit.atMost - IDLE_LIMIT)).toBeLessThanOrEqual(1);
      expect(diagnosis).toMatchObject({ pingsHold: true, durationLimit: null });
      expect(diagnosis.keepalive).toBeLessThan(IDLE_LIMIT / 2);
    });

    test(
      'old sessions go on over a graceful reload, and new ones work',
      { timeout: 60_000 },
      async () => {
        const { proxy, url } = await start(kind, program);
        const old = wsconn(['connect', '--keepalive', '0.5', url]);
        old.write('before ');
        await old.prints(/before /);
        await proxy.reload();
        const fresh = await runWsconn(['connect', url], { input: 'new' });
        expect(fresh).toMatchObject({ code: 0, stdout: 'new' });
        old.write('and after');
        await old.prints(/before and after/);
        old.child.stdin.end();
        expect(await old.ended).toMatchObject({ code: 0 });
      },
    );
  });
}
