import { expect, onTestFinished, test } from 'vitest';

import { connect, type ConnectOptions, type WsConnAdapter } from '../../src/index.ts';
import { closeOf, next, record } from '../support/events.ts';
import { GoBuild, GoProgram } from './go-program.ts';

const MIB = 1024 * 1024;
const program = new GoBuild('coder-peer');

/** Connects to a server of coder/websocket, which has all its defaults. */
async function connected(
  options?: ConnectOptions,
): Promise<{ readonly adapter: WsConnAdapter; readonly go: GoProgram }> {
  const go = new GoProgram(program.file, []);
  onTestFinished(() => go.kill());
  const { port } = await go.line('listening');
  const adapter = connect(`ws://127.0.0.1:${String(port)}`, options);
  onTestFinished(async () => {
    adapter.destroy();
    await closeOf(adapter);
  });
  await next(adapter, 'connect');
  return { adapter, go };
}

program.describe('coder/websocket', () => {
  test('with its default read limit of 32 KiB closes with 1009, and the error says so and what helps', async () => {
    const { adapter, go } = await connected();
    const failed = next(adapter, 'error');
    adapter.write(Buffer.alloc(65_536));
    const [error] = await failed;
    expect(error).toMatchObject({
      code: 'ECONNRESET',
      closeCode: 1009,
      message: expect.stringMatching(
        /1009.*read limited at 32769 bytes.*maxMessageSize/,
      ) as unknown,
    });
    expect(await adapter.close()).toBe(error);
    expect(await go.line('read')).toMatchObject({
      error: expect.stringContaining('read limited') as unknown,
    });
  });

  test('takes everything with maxMessageSize: 32768', async () => {
    const { adapter, go } = await connected({ maxMessageSize: 32_768 });
    adapter.end(Buffer.alloc(10 * MIB));
    expect(await go.line('read')).toMatchObject({ bytes: 10 * MIB });
    expect(await adapter.close()).toBeNull();
  });

  test('gives up an end whose reader is paused: it waits for the pong of its ping, and takes no other sign of life', async () => {
    const { adapter, go } = await connected({ keepalive: { interval: 50 } });
    const recording = record(adapter);
    expect(await go.ask('ping 5000')).toMatchObject({ error: null });
    // Nobody reads: the WebSocket is paused, and a ping stays behind what waits in the kernel.
    await go.ask(`flood ${String(MIB)}`);
    while (!adapter.ws.isPaused) await next(adapter.ws, 'message');
    const { error, pongs } = await go.ask('ping 1000');
    expect(error).toContain('failed to wait for pong');
    // The first belonged to the ping above; those that follow are the ones that keepalive sends
    // unasked.
    expect(pongs).toBeGreaterThan(1);
    adapter.resume();
    await recording.closed;
    expect(recording.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  });
});
