/** Who may come back to a connection of serve, and what its figures say of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { describeWithPrometheus, scrape } from '../../../test/support/observers/scrape.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { serve, wsconn } from '../../../test/support/wsconn.ts';
import { ADMIN, adminOf } from '../admin/start-admin.ts';
import { startRelay } from './start-relay.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test('a token that was renewed under its name comes back, one of another name does not', async () => {
  const tokens = file('tokens', 'laptop:first\nlaptop:second\nother:third\n');
  const { program: server, port } = await serve(await target(echo), ['--token-file', tokens]);
  const relay = await startRelay(port);
  const mine = file('mine', 'first');
  const program = wsconn(['connect', '--resume', '--token-file', mine, relay.url]);
  program.write('one ');
  await program.prints(/one /);
  file('mine', 'second');
  relay.cut();
  await program.prints(/connection is back after/);
  program.write('two');
  await program.prints(/one two/);
  file('mine', 'third');
  relay.cut();
  const { code, stderr } = await program.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/the connection cannot be resumed: .*403/);
  await server.prints(/refused 127\.0\.0\.1:\d+ with 403.*somebody else has begun that connection/);
});

test('the subject of a client certificate is who comes back', async () => {
  const authority = await makeAuthority(folder.path);
  const [own, alice] = [await authority.sign('server'), await authority.sign('client')];
  const tls = ['--tls-cert', own.cert, '--tls-key', own.key, '--tls-client-ca', authority.ca];
  const { program: server, port } = await serve(await target(echo), tls);
  const relay = await startRelay(port);
  const url = relay.url.replace('ws:', 'wss:');
  const shown = ['--ca', authority.ca, '--cert', alice.cert, '--key', alice.key];
  const program = wsconn(['connect', '--resume', ...shown, url]);
  program.write('one ');
  await program.prints(/one /);
  relay.cut();
  await program.prints(/connection is back after/);
  program.child.stdin.end('two');
  expect(await program.ended).toMatchObject({ code: 0, stdout: 'one two' });
  await server.prints(/connection 1 from \S+ as "CN=.+" opened/);
});

describeWithPrometheus('/metrics of wsconn serve', () => {
  test('counts what is held, and who came back', async () => {
    const { program: server, port } = await serve(await target(echo), ADMIN);
    const at = await adminOf(server);
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', relay.url]);
    program.write('x');
    await program.prints(/x/);
    expect((await scrape(at)).value('wsconn_held_connections')).toBe(0);
    relay.unreachable = true;
    relay.cut();
    await server.prints(/connection 1 lost its path/);
    expect((await scrape(at)).value('wsconn_held_connections')).toBe(1);
    relay.unreachable = false;
    await server.prints(/connection 1 is back/);
    const figures = await scrape(at);
    expect(figures.value('wsconn_held_connections')).toBe(0);
    expect(figures.value('wsconn_reconnects_total')).toBe(1);
    program.child.stdin.end();
    expect(await program.ended).toMatchObject({ code: 0 });
  });
});
