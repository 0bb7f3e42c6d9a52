/** The configurations in docs/load-balancers.md work as written, but for ports and limits. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer } from '../../src/index.ts';
import { describeWith } from '../support/programs/program.ts';
import { startCaddy } from '../support/proxies/caddy.ts';
import {
  haproxy,
  nginx,
  type Proxy,
  type ProxyKind,
  startProxy,
} from '../support/proxies/nginx-haproxy.ts';
import { fences, pages } from './markdown.ts';

const recipes = new Map(
  pages()
    .flatMap(fences)
    .filter(({ page }) => page.file === 'docs/load-balancers.md')
    .map(({ name, code }) => [name, code]),
);

/** Returns a recipe with other addresses; everything to replace must be there. */
function recipe(
  name: string,
  replacements: readonly (readonly [string | RegExp, string])[],
): string {
  let text = recipes.get(name) ?? '';
  for (const [from, to] of replacements) {
    expect(text).toMatch(from);
    text = text.replaceAll(new RegExp(from, 'g'), to);
  }
  return text;
}

async function echoServer(): Promise<number> {
  const server = createServer({ path: '/ssh' }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  onTestFinished(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Idle limit in s of the proxies in these tests. */
const LIMIT = 1;

/** A session lives through three idle limits with the keepalive, and dies at the first without. */
async function expectKeptAlive({ port }: Proxy): Promise<void> {
  const url = `ws://127.0.0.1:${String(port)}/ssh`;
  const kept = connect(url, { keepalive: { interval: 300 } });
  const left = connect(url);
  const died = once(left, 'error') as Promise<[Error]>;
  await Promise.all([once(kept, 'connect'), once(left, 'connect')]);
  await pause(3 * LIMIT * 1000);
  kept.write('still here');
  expect(String((await once(kept, 'data'))[0])).toBe('still here');
  expect((await died)[0]).toMatchObject({ code: 'ECONNRESET' });
  expect(await kept.close()).toBeNull();
}

async function start(kind: ProxyKind, program: string): Promise<Proxy> {
  const proxy = await startProxy(kind, program, await echoServer(), LIMIT);
  onTestFinished(() => proxy.stop());
  return proxy;
}

describeWith(nginx.program, 'nginx', (program) => {
  test('a session behind the recipe lives by its keepalive', async () => {
    const kind: ProxyKind = {
      ...nginx,
      configuration: (port, target, limit, folder) => {
        const location = recipe('nginx', [
          ['127.0.0.1:8080', `127.0.0.1:${String(target)}`],
          [/timeout 60s/, `timeout ${String(limit)}s`],
        ]);
        const around = nginx.configuration(port, target, limit, folder);
        return around.replace(/location \/ \{[^}]*\}/, () => location);
      },
    };
    await expectKeptAlive(await start(kind, program));
  });
});

describeWith(haproxy.program, 'HAProxy', (program) => {
  test('a session behind the recipe lives by its keepalive', async () => {
    const kind: ProxyKind = {
      ...haproxy,
      configuration: (port, target, limit) =>
        recipe('haproxy', [
          ['127.0.0.1:8080', `127.0.0.1:${String(target)}`],
          ['bind :80', `bind 127.0.0.1:${String(port)}`],
          [/timeout (client|server|tunnel) 60s/, `timeout $1 ${String(limit)}s`],
        ]),
    };
    await expectKeptAlive(await start(kind, program));
  });
});

describeWith('caddy', 'Caddy', (program) => {
  test('a session behind the recipe gets its answer, and a reload cuts it', async () => {
    const proxy = await startCaddy(program, await echoServer(), (port, target) =>
      recipe('caddy', [
        ['127.0.0.1:8080', `127.0.0.1:${String(target)}`],
        [/^:80 \{/, `http://127.0.0.1:${String(port)} {\n  bind 127.0.0.1`],
      ]),
    );
    onTestFinished(() => proxy.stop());
    const socket = connect(`ws://127.0.0.1:${String(proxy.port)}/ssh`);
    socket.write('a line');
    expect(String((await once(socket, 'data'))[0])).toBe('a line');
    const cut = once(socket, 'error') as Promise<[Error]>;
    await proxy.reload();
    expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1001 });
  });
});
