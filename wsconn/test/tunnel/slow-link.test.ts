/** A slow line before real reverse proxies that drop what idles for 2 s. */
import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { startLink } from '../../../test/support/links/start-link.ts';
import { target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { haproxy, nginx, startProxy } from '../../../test/support/proxies/nginx-haproxy.ts';
import { readAll } from '../../../test/support/reading.ts';
import { serve, wsconn } from '../../../test/support/wsconn.ts';

const IDLE_LIMIT = 2;
/** Bytes a second: each way takes about three seconds, more than the limit. */
const RATE = 100_000;
const [UP, DOWN] = [bytesOf(1, 300_000), bytesOf(2, 300_000)];

for (const kind of [nginx, haproxy]) {
  describeWith(kind.program, `behind a real ${kind.name}, over a slow line`, (program) => {
    test('all goes up, a half close with it, and all of the answer comes down', async () => {
      let arrived = '';
      const to = await target((socket) => {
        void readAll(socket).then((all) => {
          arrived = sha256(all);
          socket.end(DOWN);
        });
      });
      const { port } = await serve(to, ['--keepalive', '0.5']);
      const proxy = await startProxy(kind, program, port, IDLE_LIMIT);
      onTestFinished(() => proxy.stop());
      const link = await startLink(proxy.port, { rate: RATE });
      const url = `ws://127.0.0.1:${String(link.port)}`;
      const session = wsconn(['connect', '--keepalive', '0.5', url], { input: UP });
      expect(await session.ended).toMatchObject({ code: 0, stderr: '' });
      expect([arrived, sha256(session.bytes)]).toEqual([sha256(UP), sha256(DOWN)]);
    });
  });
}
