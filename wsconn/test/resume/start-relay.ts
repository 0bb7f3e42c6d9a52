import { onTestFinished } from 'vitest';

import { CuttingRelay } from '../../../test/support/links/cutting-relay.ts';

/** Starts a relay that ends with the test. */
export async function startRelay(to: number): Promise<CuttingRelay> {
  const relay = await CuttingRelay.start(to);
  onTestFinished(() => relay.stop());
  return relay;
}
