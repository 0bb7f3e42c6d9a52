import { expect, onTestFinished, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { YamuxSession } from '../../../src/yamux/index.ts';
import { FrameDecoder, FrameType, INITIAL_WINDOW } from '../../../src/yamux/wire/frame.ts';
import { closeOf, next } from '../../../test/support/events.ts';
import { startLink } from '../../../test/support/links/start-link.ts';
import { target } from '../../../test/support/peers/target.ts';
import { serve } from '../../../test/support/wsconn.ts';

const MIB = 1024 * 1024;

test('the windows of --mux grow past the largest message over a long way, since both ends cut their frames', async () => {
  const to = await target((socket) => socket.resume());
  const { port } = await serve(to);
  const link = await startLink(port, { delay: 20, buffer: 16 * MIB });
  // What wsconn forward --mux does, with an eye on the frames.
  const adapter = connect(`ws://127.0.0.1:${String(link.port)}`, { protocols: 'wsconn.mux' });
  await next(adapter, 'connect');
  const session = new YamuxSession(adapter, { role: 'client', keepalive: false });
  onTestFinished(async () => {
    await session.close();
    await closeOf(adapter);
  });
  let granted = INITIAL_WINDOW;
  const decoder = new FrameDecoder({
    onHeader: ({ type, length }) => {
      if (type === FrameType.windowUpdate) granted += length;
    },
    onBody: () => undefined,
  });
  const stream = session.open();
  let widest = 0;
  adapter.on('data', (chunk: Buffer) => {
    decoder.decode(chunk);
    // What has left is bytesWritten less what waits: the window is what may be under way beyond
    // that.
    widest = Math.max(widest, granted - (stream.bytesWritten - stream.writableLength));
  });
  const block = Buffer.alloc(65_536);
  for (let left = 48 * MIB; left > 0; left -= block.length) {
    if (!stream.write(block)) await next(stream, 'drain');
  }
  expect(widest).toBeGreaterThan(2 * MIB);
  stream.destroy();
});
