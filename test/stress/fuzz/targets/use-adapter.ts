import type { WsConnAdapter } from '../../../../src/index.ts';
import { bits, check, type Input } from '../target.ts';
import type { Watch } from './watch.ts';
import { turn, type Wire } from './wire.ts';

/** Who uses an adapter, by bits 0 to 2 of the variant. */
const READERS: readonly ((adapter: WsConnAdapter) => void)[] = [
  (adapter) => adapter.resume(),
  (adapter) => adapter.pipe(adapter),
  (adapter) => adapter.once('data', () => adapter.destroy()),
  (adapter) => adapter.once('data', () => void adapter.close(4000, 'enough')),
  (adapter) => adapter.resume().end('the only bytes'),
  (adapter) => adapter.on('readable', () => adapter.read(3)),
  (adapter) => adapter.resume().write('a few bytes'),
  () => undefined,
];

export function startUse(adapter: WsConnAdapter, input: Input): void {
  READERS[bits(input, 0, 3)]?.(adapter);
}

/** Ends what is still open, as the variant says (bits 3 to 5 and 10), and waits for 'close'. */
export async function endUse(
  adapter: WsConnAdapter,
  watch: Watch,
  wire: Wire,
  input: Input,
): Promise<void> {
  if (bits(input, 10) === 1) await turn();
  const sent = input.chunks.reduce((sum, { length }) => sum + length, 0);
  check(adapter.readableLength <= sent, 'no more waits to be read than came');
  const how = bits(input, 3, 2);
  // Who ends it must not write any more, as on every socket.
  if (how !== 0) adapter.unpipe(adapter);
  if (how === 1) adapter.end();
  if (how === 2) adapter.destroy();
  if (how === 3) void adapter.close();
  wire.bringEnd(bits(input, 5) === 1 ? 'reset' : 'FIN');
  await turn();
  // Who does not read sees no end; so somebody has to end it.
  adapter.unpipe(adapter);
  if (!adapter.closed) void adapter.close();
  await watch.closed;
  const error = await adapter.close();
  check(error === adapter.errored, 'close() resolves with the error that was emitted');
  await turn();
  watch.check();
  for (const name of ['open', 'message', 'close', 'upgrade', 'unexpected-response'])
    check(adapter.ws.listenerCount(name) === 0, `no listener of '${name}' is left on ws`);
}
