import { findSourceMap } from 'node:module';
import { type Profiler, Session } from 'node:inspector/promises';

/** Who has spent processor time; `native` has what Node does outside of JavaScript. */
type Owner = 'ours' | 'ws' | 'node' | 'native' | 'garbage' | 'bench';

const session = new Session();

/** Starts to look, several thousand times a second, which function runs. */
export async function startProfile(): Promise<object> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 250 });
  await session.post('Profiler.start');
  return {};
}

/** Returns how often whose code was seen to run. */
export async function stopProfile(): Promise<Readonly<Record<Owner, number>>> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const counts = { ours: 0, ws: 0, node: 0, native: 0, garbage: 0, bench: 0 };
  for (const node of profile.nodes) {
    const owner = ownerOf(node.callFrame);
    if (owner) counts[owner] += node.hitCount ?? 0;
  }
  return counts;
}

/** Returns null where the process had nothing to do. */
function ownerOf({
  functionName,
  url,
  ...at
}: Profiler.ProfileNode['callFrame'] & object): Owner | null {
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'garbage';
  if (url === '') return 'native';
  if (url.startsWith('node:')) return 'node';
  if (url.includes('/node_modules/ws/')) return 'ws';
  const entry = findSourceMap(new URL(url).pathname)?.findEntry(at.lineNumber, at.columnNumber);
  const source = entry && 'originalSource' in entry ? entry.originalSource : url;
  return source.includes('/bench/') && !source.includes('/src/') ? 'bench' : 'ours';
}
