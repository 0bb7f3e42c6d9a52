import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, createServer, type WsConnAdapter, type WsConnServer } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';
import { describeWith } from '../support/programs/program.ts';
import { haproxy, nginx, type Proxy, startProxy } from '../support/proxies/nginx-haproxy.ts';
import { readAll, readExactly } from '../support/reading.ts';

const MIB = 1024 * 1024;
const IDLE_LIMIT_SECONDS = 2;
/** Time in ms in which an idle connection would have died three times. */
const SILENCE = 6_000;

for (const kind of [nginx, haproxy]) {
  describeWith(
    kind.program,
    `behind a real ${kind.name} that drops what idles for 2 s`,
    (program) => {
      let server: WsConnServer;
      let proxy: Proxy;
      let url: string;

      beforeAll(async () => {
        server = createServer({ allowHalfOpen: true });
        server.listen(0, '127.0.0.1');
        await next(server, 'listening');
        proxy = await startProxy(
          kind,
          program,
          (server.address() as AddressInfo).port,
          IDLE_LIMIT_SECONDS,
        );
        url = `ws://127.0.0.1:${String(proxy.port)}/`;
      });
      afterAll(async () => {
        await server.close();
        await proxy.stop();
      });

      /** Connects through the proxy; what the server accepts sends everything back. */
      async function open(
        keepalive: boolean,
      ): Promise<{ client: WsConnAdapter; accepted: WsConnAdapter }> {
        const connection = next(server, 'connection');
        const client = connect(url, {
          allowHalfOpen: true,
          ...(keepalive ? { keepalive: { interval: 1_000 } } : {}),
        });
        const [accepted] = (await connection) as [WsConnAdapter];
        accepted.pipe(accepted);
        return { client, accepted };
      }

      test('an idle connection with keepalive lives', async () => {
        const { client, accepted } = await open(true);
        await sleep(SILENCE);
        client.write('still there?');
        expect((await readExactly(client, 12)).toString()).toBe('still there?');
        const gone = closeOf(accepted);
        expect(await client.close()).toBeNull();
        await gone;
      });

      test('an idle connection without keepalive dies with ECONNRESET at both ends', async () => {
        const { client, accepted } = await open(false);
        await Promise.all([closeOf(client), closeOf(accepted)]);
        for (const end of [client, accepted]) {
          expect(end.errored).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
        }
      });

      test('8 MiB and a half close go through', async () => {
        const { client, accepted } = await open(false);
        const gone = Promise.all([closeOf(client), closeOf(accepted)]);
        const sent = bytesOf(1, 8 * MIB);
        client.end(sent);
        expect(sha256(await readAll(client))).toBe(sha256(sent));
        await gone;
        expect([client.errored, accepted.errored]).toEqual([null, null]);
      });
    },
  );
}
