/** `connect --resume` to `serve --workers`: the client comes back through either worker. */
import { describe, expect, test } from 'vitest';

import { echo, target } from '../../../test/support/peers/target.ts';
import { readExactly } from '../../../test/support/reading.ts';
import { wsconn } from '../../../test/support/wsconn.ts';
import { startRelay } from '../resume/start-relay.ts';
import { dial } from '../../../test/support/peers/dial.ts';
import { serveWithWorkers } from './start-workers.ts';

describe('wsconn serve --workers 2', () => {
  test('hands a client that comes back to the worker that holds its connection', async () => {
    const { program: server, port } = await serveWithWorkers(await target(echo));
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', relay.url]);
    program.write('0');
    await program.prints(/^0$/);
    for (let cut = 1; cut <= 4; cut++) {
      // Others move the next connection to the one worker or to the other.
      const other = dial(`ws://127.0.0.1:${String(port)}`);
      other.write('x');
      await readExactly(other, 1);
      if (cut % 2 === 0) other.destroy();
      relay.cut();
      await program.prints(new RegExp(`(?:connection is back after[^]*){${String(cut)}}`));
      program.write(String(cut));
      await program.prints(new RegExp(`${String(cut)}$`));
    }
    program.child.stdin.end();
    expect(await program.ended).toMatchObject({ code: 0, stdout: '01234' });
    await server.prints(/(?:connection 1\.1 is back after [^]*){4}/);
    await server.prints(/connection 1\.1 ended after .*: 5 bytes in, 5 bytes out/);
  });

  test('tells a client whose worker has died that its connection is gone', async () => {
    const { program: server, port, pids } = await serveWithWorkers(await target(echo));
    const relay = await startRelay(port);
    const program = wsconn(['connect', '--resume', relay.url]);
    program.write('x');
    await program.prints(/x/);
    await server.prints(/connection 1\.1 .* opened/);
    process.kill(pids[0], 'SIGKILL');
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/no such connection|does not know/);
  });
});
