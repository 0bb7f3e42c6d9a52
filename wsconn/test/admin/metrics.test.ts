/** What --admin shows Prometheus, read by its own parser and held against known traffic. */
import { once } from 'node:events';
import net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { closeOf } from '../../../test/support/events.ts';
import { describeWithPrometheus, scrape } from '../../../test/support/observers/scrape.ts';
import { dial } from '../../../test/support/peers/dial.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readExactly } from '../../../test/support/reading.ts';
import { forward, runWsconn, serve } from '../../../test/support/wsconn.ts';
import { ADMIN, adminOf } from './start-admin.ts';

const UNNAMED = '(unnamed)';

function dialPort(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

describeWithPrometheus('/metrics of wsconn serve', () => {
  test('counts connections and bytes by kind and target, those of open ones too', async () => {
    const db = `db=127.0.0.1:${String(await target(echo))}`;
    const { program, url } = await serve(await target(echo), ['--to', db, ...ADMIN]);
    const at = await adminOf(program);
    const plain = { kind: 'connection', target: UNNAMED };
    const ofDb = { kind: 'connection', target: 'db' };

    const open = dial(url);
    open.write('x'.repeat(5000));
    await readExactly(open, 5000);
    const ended = dial(`${url}/db`);
    ended.end('y'.repeat(300));
    await readExactly(ended, 300);
    ended.resume();
    await program.prints(/connection 2 ended/);

    const first = await scrape(at);
    expect(first.value('wsconn_open_connections', plain)).toBe(1);
    expect(first.value('wsconn_open_connections', ofDb)).toBeUndefined();
    expect(first.value('wsconn_connections_total', plain)).toBe(1);
    expect(first.value('wsconn_connections_total', ofDb)).toBe(1);
    expect(first.value('wsconn_received_bytes_total', plain)).toBe(5000);
    expect(first.value('wsconn_sent_bytes_total', plain)).toBe(5000);
    expect(first.value('wsconn_received_bytes_total', ofDb)).toBe(300);
    expect(first.value('wsconn_sent_bytes_total', ofDb)).toBe(300);

    open.write('z'.repeat(70));
    await readExactly(open, 70);
    expect((await scrape(at)).value('wsconn_received_bytes_total', plain)).toBe(5070);
    open.end();
    open.resume();
    await program.prints(/connection 1 ended/);
    const last = await scrape(at);
    expect(last.value('wsconn_open_connections', plain)).toBeUndefined();
    expect(last.value('wsconn_connections_total', plain)).toBe(1);
    expect(last.value('wsconn_received_bytes_total', plain)).toBe(5070);
  });

  test('counts the streams of a multiplexer, and its bytes once', async () => {
    const { program, url } = await serve(await target(echo), ADMIN);
    const at = await adminOf(program);
    const { port } = await forward(url, ['--mux']);
    const sockets = [dialPort(port), dialPort(port)];
    for (const socket of sockets) {
      socket.write('x'.repeat(1000));
      await readExactly(socket, 1000);
    }
    const both = await scrape(at);
    const streams = { kind: 'stream', target: UNNAMED };
    const mux = { kind: 'multiplexer', target: UNNAMED };
    expect(both.value('wsconn_open_connections', streams)).toBe(2);
    expect(both.value('wsconn_open_connections', mux)).toBe(1);
    // Their headers count too.
    const [asked, answered] = ['open\n'.length, 'ok\n'.length];
    const received = both.value('wsconn_received_bytes_total', streams);
    expect(received).toBe(2 * (1000 + asked));
    expect(both.value('wsconn_sent_bytes_total', streams)).toBe(2 * (1000 + answered));
    expect(both.value('wsconn_received_bytes_total', mux)).toBeUndefined();
    sockets[0]?.destroy();
    await program.prints(/stream \d+ (ended|failed)/);
    const one = await scrape(at);
    expect(one.value('wsconn_open_connections', streams)).toBe(1);
    expect(one.value('wsconn_connections_total', streams)).toBe(2);
  });

  test('counts what is refused or fails, under no name that a client chose', async () => {
    const { program, url } = await serve('dead=127.0.0.1:1', [...ADMIN, '--max-connections', '1']);
    const at = await adminOf(program);
    expect((await scrape(at)).value('wsconn_refused_total', { reason: 'not_found' })).toBe(0);
    for (const path of ['/chosen-one', '/chosen-two']) await runWsconn(['connect', url + path]);
    await runWsconn(['connect', `${url}/dead`, '--header', 'Origin: http://chosen.example']);
    await runWsconn(['connect', `${url}/dead`]);
    await program.prints(/connection 1 failed/);
    const probe = dial(url, { protocols: 'wsconn.probe' });
    await once(probe, 'connect');
    await runWsconn(['connect', `${url}/dead`]);
    const figures = await scrape(at);
    const refused = (reason: string): number | undefined =>
      figures.value('wsconn_refused_total', { reason });
    expect(refused('not_found')).toBe(2);
    expect(refused('forbidden')).toBe(1);
    expect(refused('unavailable')).toBe(1);
    expect(refused('unauthorized')).toBe(0);
    const dead = { kind: 'connection', target: 'dead' };
    expect(figures.value('wsconn_connections_total', dead)).toBe(1);
    expect(figures.value('wsconn_connections_failed_total', dead)).toBe(1);
    const probes = { kind: 'probe', target: '(none)' };
    expect(figures.value('wsconn_open_connections', probes)).toBe(1);
    expect(figures.value('wsconn_connections_total', probes)).toBe(1);
    expect(figures.text).not.toContain('chosen');
  });

  test('counts streams that are refused', async () => {
    const { program, url } = await serve(await target(echo), [...ADMIN, '--max-connections', '1']);
    const at = await adminOf(program);
    const { port } = await forward(url, ['--mux']);
    const socket = dialPort(port);
    socket.write('x');
    await once(socket, 'data');
    await closeOf(dialPort(port));
    expect((await scrape(at)).value('wsconn_streams_refused_total')).toBe(1);
  });

  test('has a histogram of round trips, the delays of the event loop, and names as Prometheus wants them', async () => {
    const { program, url } = await serve(await target(echo), [...ADMIN, '--keepalive', '0.05']);
    const at = await adminOf(program);
    const adapter = dial(url);
    // A ping is sent when the one before it was answered.
    for (let pings = 0; pings < 3; pings++) await once(adapter.ws, 'ping');
    const figures = await scrape(at);
    const count = figures.value('wsconn_round_trip_seconds_count') ?? 0;
    expect(count).toBeGreaterThanOrEqual(2);
    const sum = figures.value('wsconn_round_trip_seconds_sum') ?? 0;
    expect(sum).toBeGreaterThan(0);
    // In seconds: were it in ms, a round trip on loopback would be thousands of times larger.
    expect(sum / count).toBeLessThan(5);
    expect(figures.value('wsconn_round_trip_seconds_bucket', { le: '+Inf' })).toBe(count);
    expect(figures.value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    expect(figures.value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    const info = figures.families.find(({ name }) => name === 'wsconn_build_info');
    expect(info?.samples).toEqual([
      {
        name: 'wsconn_build_info',
        labels: {
          version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
          node: process.versions.node,
        },
        value: '1.0',
      },
    ]);
    const own = figures.families.filter(({ name }) => name.startsWith('wsconn_'));
    expect(own.length).toBeGreaterThan(6);
    for (const { name, type, help } of own) {
      expect(help).toMatch(/^[A-Z].*\.$/);
      const ending = type === 'counter' ? '_total' : '';
      expect(figures.text).toContain(`# TYPE ${name}${ending} ${type}\n`);
    }
  });
});

describeWithPrometheus('/metrics of wsconn forward', () => {
  test.each([{ args: [] }, { args: ['--mux'] }])(
    'counts bytes both ways with $args',
    async ({ args }) => {
      const { url } = await serve(await target(echo));
      const { program, port } = await forward(url, [...args, ...ADMIN]);
      const at = await adminOf(program);
      const socket = dialPort(port);
      socket.write('x'.repeat(1234));
      await readExactly(socket, 1234);
      const figures = await scrape(at);
      const labels = { kind: 'connection', target: UNNAMED };
      expect(figures.value('wsconn_open_connections', labels)).toBe(1);
      expect(figures.value('wsconn_connections_total', labels)).toBe(1);
      expect(figures.value('wsconn_sent_bytes_total', labels)).toBe(1234);
      expect(figures.value('wsconn_received_bytes_total', labels)).toBe(1234);
    },
  );

  test('tells connections that failed', async () => {
    const { url } = await serve(1);
    const { program, port } = await forward(url, ADMIN);
    const at = await adminOf(program);
    const socket = dialPort(port);
    socket.write('x');
    await closeOf(socket);
    await program.prints(/connection 1 from .* failed/);
    const labels = { kind: 'connection', target: UNNAMED };
    await expect
      .poll(async () => (await scrape(at)).value('wsconn_connections_failed_total', labels), {
        timeout: 20_000,
      })
      .toBe(1);
  });
});
