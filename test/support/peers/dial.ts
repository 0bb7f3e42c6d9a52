import { onTestFinished } from 'vitest';

import { connect, type WsConnAdapter } from '../../../src/index.ts';
import { closeOf } from '../events.ts';

/** Opens a connection that ends with the test. */
export function dial(url: string, options?: Parameters<typeof connect>[1]): WsConnAdapter {
  const adapter = connect(url, options);
  adapter.on('error', () => undefined);
  onTestFinished(async () => {
    adapter.destroy();
    await closeOf(adapter);
  });
  return adapter;
}
