import { expect, onTestFinished, test } from 'vitest';

import { bytesOf } from '../../../src/conformance/frame/bytes.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { startCaddy } from '../../../test/support/proxies/caddy.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';

describeWith('caddy', 'behind a real Caddy', (caddy) => {
  test('a download that a reload cuts short is no success', async () => {
    // A download that has no end of its own: whatever comes is a part.
    const to = await target((socket) => {
      const timer = setInterval(() => socket.write(bytesOf(1, 50_000)), 20);
      socket.once('close', () => {
        clearInterval(timer);
      });
    });
    const { program, port } = await serve(to);
    const proxy = await startCaddy(caddy, port);
    onTestFinished(() => proxy.stop());
    const url = `ws://127.0.0.1:${String(proxy.port)}/`;
    const download = wsconn(['connect', url]);
    await new Promise((resolve) => download.child.stdout.once('data', resolve));
    await proxy.reload();
    const { code, stderr } = await download.ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/ went away \(1001\)| was cut/) as string,
    });
    await program.prints(/connection 1 failed/);
  });

  test('a new session works after a reload', async () => {
    const { port } = await serve(await target(echo));
    const proxy = await startCaddy(caddy, port);
    onTestFinished(() => proxy.stop());
    await proxy.reload();
    const url = `ws://127.0.0.1:${String(proxy.port)}/`;
    expect(await runWsconn(['connect', url], { input: 'new' })).toMatchObject({
      code: 0,
      stdout: 'new',
    });
  });
});
