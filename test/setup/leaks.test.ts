import { once } from 'node:events';
import net from 'node:net';

import { describe, expect, test } from 'vitest';

import { leaksBetween, leaksSince, takeSnapshot } from './leaks.ts';

const HOUR = 3_600_000;

/** Long enough for a few turns, short enough for a test that expects to find something. */
const PATIENCE = 50;

describe('the leak check', () => {
  test('finds nothing where nothing was left', async () => {
    const before = takeSnapshot();
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    clearTimeout(setTimeout(() => undefined, HOUR));
    server.close();
    expect(await leaksSince(before, 3_000)).toEqual([]);
  });

  test('finds a timer, and says where it was set', () => {
    const before = takeSnapshot();
    const timer = setTimeout(() => undefined, HOUR);
    const leaks = leaksBetween(before, takeSnapshot());
    clearTimeout(timer);
    expect(leaks).toHaveLength(1);
    expect(leaks[0]).toContain('leaks.test.ts');
  });

  test('finds an interval and an unrefed timer', () => {
    const before = takeSnapshot();
    const interval = setInterval(() => undefined, HOUR).unref();
    const timer = setTimeout(() => undefined, HOUR).unref();
    const leaks = leaksBetween(before, takeSnapshot());
    clearInterval(interval);
    clearTimeout(timer);
    expect(leaks).toHaveLength(2);
  });

  test('does not take a timer for one that runs when it has fired', async () => {
    const before = takeSnapshot();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(leaksBetween(before, takeSnapshot())).toEqual([]);
  });

  test('finds a server that still listens', async () => {
    const before = takeSnapshot();
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const leaks = await leaksSince(before, PATIENCE);
    server.close();
    expect(leaks).toEqual([expect.stringMatching(/^1 open TCPSERVER|^1 open TCPServer/)]);
  });

  test('finds both sockets of a connection that is open', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const before = takeSnapshot();
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const leaks = await leaksSince(before, PATIENCE);
    socket.destroy();
    accepted.destroy();
    server.close();
    expect(leaks).toEqual([expect.stringMatching(/^2 open TCPS/i)]);
  });

  test('finds a listener on process', () => {
    const before = takeSnapshot();
    const listener = (): void => undefined;
    process.on('SIGUSR2', listener);
    const leaks = leaksBetween(before, takeSnapshot());
    process.off('SIGUSR2', listener);
    expect(leaks).toContain('1 more listener(s) on process for SIGUSR2');
  });
});
