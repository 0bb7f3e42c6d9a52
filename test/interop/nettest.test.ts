import { expect, onTestFinished, test } from 'vitest';

import { freePort } from '../support/free-port.ts';
import { run } from '../support/programs/watched-program.ts';
import { forward, serve } from '../support/wsconn.ts';
import { GoBuild } from './go-program.ts';

const suite = new GoBuild('nettest', 'tests');

/** Those of golang.org/x/net/nettest's TestConn. */
const NAMES = [
  'BasicIO',
  'PingPong',
  'RacyRead',
  'RacyWrite',
  'ReadTimeout',
  'WriteTimeout',
  'PastTimeout',
  'PresentTimeout',
  'FutureTimeout',
  'CloseTimeout',
  'ConcurrentMethods',
];

suite.describe(
  "golang.org/x/net/nettest's TestConn through wsconn forward and wsconn serve",
  () => {
    test.each([
      ['a WebSocket for each connection', []],
      ['all connections in one WebSocket', ['--mux']],
    ])('%s: all of it passes', async (_name, args) => {
      const target = await freePort();
      const { program: server, url } = await serve(target);
      const { program: client, port } = await forward(url, args);
      onTestFinished(async () => {
        for (const program of [client, server]) {
          program.kill();
          await program.ended;
        }
      });
      const { stdout, stderr } = await run(
        suite.file,
        ['-test.v', `-listen=127.0.0.1:${String(target)}`, `-dial=127.0.0.1:${String(port)}`],
        { input: '' },
      );
      const passed = Array.from(
        stdout.matchAll(/--- PASS: TestTunnel\/(\w+)/g),
        ([, name]) => name,
      );
      expect(passed, `${stdout}\n${stderr}`).toEqual(NAMES);
    });
  },
);
