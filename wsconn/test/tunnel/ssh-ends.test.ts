/**
 * What ssh sees through `wsconn connect` when sshd ends a connection first: its own error, and no
 * hang.
 */
import net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { closeOf, next } from '../../../test/support/events.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { startSshd, startStrictSshd } from '../../../test/support/programs/sshd.ts';
import { WatchedProgram } from '../../../test/support/programs/watched-program.ts';
import { serve, WSCONN } from '../../../test/support/wsconn.ts';

describeWith('sshd', 'OpenSSH through wsconn connect', (path) => {
  test('fails when sshd refuses one more for MaxStartups', async () => {
    const sshd = await startStrictSshd(path);
    onTestFinished(() => sshd.stop());
    // One that says nothing fills it.
    const pending = net.connect(sshd.port, '127.0.0.1');
    onTestFinished(async () => {
      pending.destroy();
      await closeOf(pending);
    });
    expect(String((await next(pending, 'data'))[0])).toMatch(/^SSH-2\.0/);
    const { url } = await serve(sshd.port);
    const proxy = ['-o', `ProxyCommand=${WSCONN} connect ${url}`];
    const ssh = new WatchedProgram('ssh', [...sshd.sshOptions, ...proxy, sshd.destination, 'true']);
    const { code, stderr } = await ssh.ended;
    expect(code).toBe(255);
    expect(stderr).toMatch(/exchange_identification|Exceeded MaxStartups/);
  });

  test('fails when its sshd is killed in mid-session', async () => {
    const sshd = await startSshd(path);
    onTestFinished(() => sshd.stop());
    const { url } = await serve(sshd.port);
    const proxy = ['-o', `ProxyCommand=${WSCONN} connect ${url}`];
    const shell = 'echo begun; read line; kill -9 $PPID';
    const ssh = new WatchedProgram('ssh', [...sshd.sshOptions, ...proxy, sshd.destination, shell]);
    await ssh.prints(/begun/);
    ssh.write('now\n');
    const { code, stderr } = await ssh.ended;
    expect(code).toBe(255);
    expect(stderr).toMatch(/[Cc]onnection (?:to \S+ )?.*closed|Broken pipe|reset/);
  });
});
