import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';

import { startIdleLimitProxy } from '../../examples/demo/idle-limit-proxy.ts';
import { describeWith } from '../../test/support/programs/program.ts';
import { ON_A_TERMINAL, run } from '../../test/support/programs/watched-program.ts';
import { startRelay } from './resume/start-relay.ts';
import { runWsconn, serve, wsconn, WSCONN_MAIN } from '../../test/support/wsconn.ts';
import { diagnose, type Observation, type Silence } from '../src/doctor/diagnosis.ts';

const alive = (after: number): Observation => ({ outcome: 'alive', after });
const cut = (after: number): Observation => ({ outcome: 'cut', after, code: 1006 });

/** Silences of 5, 10, 20, 30 and 45 s on a path that ends them after `limit` s. */
function silences(limit: number, outcome: 'cut' | 'mute' = 'cut'): Silence[] {
  return [5, 10, 20, 30, 45].map((planned) => {
    if (planned < limit) return { planned, ...alive(planned) };
    return { planned, outcome, after: outcome === 'cut' ? limit : planned };
  });
}

describe('a diagnosis', () => {
  test('of a path without limits advises the default', () => {
    const observed = { silent: silences(Infinity), pinging: alive(45), talking: alive(45) };
    expect(diagnose(observed)).toEqual({
      idleLimit: null,
      pingsHold: true,
      durationLimit: null,
      keepalive: 15,
      rotate: null,
    });
  });

  test('of a path that cuts what idles names the limit, and a keepalive under half of it', () => {
    const observed = { silent: silences(28.7), pinging: alive(45), talking: alive(45) };
    expect(diagnose(observed)).toEqual({
      idleLimit: { atLeast: 20, atMost: 28.7, exact: true },
      pingsHold: true,
      durationLimit: null,
      keepalive: 11,
      rotate: null,
    });
  });

  test('of a path that forgets without telling names the two silences that it lies between', () => {
    const observed = { silent: silences(25, 'mute'), pinging: alive(45), talking: alive(45) };
    expect(diagnose(observed)).toMatchObject({
      idleLimit: { atLeast: 20, atMost: 30, exact: false },
      keepalive: 8,
    });
  });

  test('of a path that does not count pings says that no keepalive helps', () => {
    const observed = { silent: silences(28), pinging: cut(28.2), talking: alive(45) };
    expect(diagnose(observed)).toMatchObject({
      pingsHold: false,
      durationLimit: null,
      keepalive: null,
    });
  });

  test('of a path that ends everything at one age takes no idle limit for known', () => {
    const observed = { silent: silences(28), pinging: cut(28.1), talking: cut(28.2) };
    expect(diagnose(observed)).toMatchObject({
      idleLimit: null,
      pingsHold: null,
      durationLimit: 28.2,
      rotate: 22,
    });
  });

  test('of a path with both limits names both', () => {
    const observed = { silent: silences(10), pinging: cut(40), talking: cut(40) };
    expect(diagnose(observed)).toMatchObject({
      idleLimit: { atMost: 10 },
      pingsHold: true,
      durationLimit: 40,
      keepalive: 4,
    });
  });

  test.each([
    [0.5, 0.4],
    [5, 4],
    [60, 48],
    [1800, 1770],
  ])('of a path that ends everything at %s s opens the next WebSocket at %s s', (limit, rotate) => {
    const silent = [{ planned: limit / 2, ...alive(limit / 2) }];
    const observed = { silent, pinging: cut(limit), talking: cut(limit) };
    expect(diagnose(observed)).toMatchObject({ durationLimit: limit, rotate });
  });

  test('without a server that takes data cannot tell pings that do not count from a limit on age', () => {
    const observed = { silent: silences(28), pinging: cut(28), talking: null };
    expect(diagnose(observed)).toMatchObject({
      idleLimit: { atMost: 28 },
      pingsHold: null,
      keepalive: null,
    });
  });
});

test('doctor says in plain words what a path does, and dials no target', async () => {
  const { port } = await serve(1);
  const proxy = await startIdleLimitProxy(port, 1000);
  onTestFinished(() => proxy.close());
  const url = `ws://127.0.0.1:${String(proxy.port)}`;
  const { code, stdout } = await runWsconn(['doctor', '--steps', '0.3,2,3', url]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Idle limit: about [12](\.\d)? s\. When nothing moves on a connection for that long, the path cuts it\./,
  );
  expect(stdout).toMatch(/\nPings: they keep a connection open\.\n/);
  expect(stdout).toMatch(/\nLimit on total duration: none found within 3 s\.\n/);
  expect(stdout).toMatch(/\nAdvice: use --keepalive 0\.\d\n$/);
});

test('doctor names the limit on the duration, and what to give for --resume-rotate', async () => {
  const { port } = await serve(1);
  const relay = await startRelay(port);
  relay.endAfter = 1000;
  const { code, stdout } = await runWsconn(['doctor', '--steps', '0.3,2', relay.url]);
  expect(code).toBe(0);
  const [, limit, rotate] =
    /\nLimit on total duration: about ([\d.]+) s\..* --resume --resume-rotate ([\d.]+)\.\n/.exec(
      stdout,
    ) ?? [];
  expect(Number(limit)).toBeCloseTo(1, 0);
  expect(Number(rotate)).toBeLessThan(Number(limit));
});

test('doctor examines any WebSocket server, and says what it cannot know', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
  server.on('connection', (ws) => {
    ws.send('welcome');
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code, stdout } = await runWsconn([
    'doctor',
    '--steps',
    '0.2,0.4',
    `ws://127.0.0.1:${String(port)}`,
  ]);
  server.close();
  expect(code).toBe(0);
  expect(stdout).toMatch(/The server is not wsconn serve/);
  expect(stdout).toMatch(/Advice: use --keepalive 15, the default/);
});

test('doctor tries ten connections by default, and Ctrl-C ends it', async () => {
  const { program: server, url } = await serve(1);
  const program = wsconn(['doctor', url]);
  await program.prints(/10 connections to .* are open; this takes 120 s/);
  program.kill('SIGINT');
  expect(await program.ended).toMatchObject({ code: 130, stdout: '' });
  expect(server.stderr.match(/probe \d+ from/g)).toHaveLength(10);
});

describeWith('python3', 'on a terminal', () => {
  test('doctor shows a progress bar, and wipes it away', async () => {
    const { url } = await serve(1);
    const line = [process.execPath, WSCONN_MAIN, 'doctor', '--steps', '0.5,1', url];
    const { code, stdout } = await run('python3', [ON_A_TERMINAL, ...line]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\r\[#*\.+\] \d of 1 s/);
    // eslint-disable-next-line no-control-regex -- what wipes the bar away
    expect(stdout).toMatch(/\r\u001b\[KIdle limit: none/);
  });
});
