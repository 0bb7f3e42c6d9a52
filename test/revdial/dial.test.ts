import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../support/bytes.ts';
import { readAll } from '../support/reading.ts';
import { connectDevice, echo, startHub } from '../support/pairs/revdial-hub.ts';

const MIB = 1024 * 1024;

test('a dialled device dials back, and what is written to it comes out there', async () => {
  const hub = await startHub();
  onTestFinished(() => hub.stop());
  const { dialer, listener } = await connectDevice(hub);
  echo(listener);

  const user = await dialer.dial();
  const sent = bytesOf(1, 2 * MIB);
  user.end(sent);

  expect(sha256(await readAll(user))).toBe(sha256(sent));
  expect(await user.close()).toBeNull();
  expect(await listener.close()).toBeNull();
  expect(await dialer.close()).toBeNull();
});
