import { onTestFinished } from 'vitest';

import {
  YamuxSession,
  type YamuxSessionOptions,
  type YamuxStream,
} from '../../../src/yamux/index.ts';
import { Flag, FrameType } from '../../../src/yamux/wire/frame.ts';
import { next, type Recording, record } from '../../support/events.ts';
import { HeldTransport } from '../held-transport.ts';
import { frame } from '../raw-peer.ts';

const { data, windowUpdate } = FrameType;
const { fin, syn } = Flag;

/** A session, what it and one stream of it have told in the order it came, and their transport. */
interface Watched {
  readonly session: YamuxSession;
  readonly stream: YamuxStream;
  readonly transport: HeldTransport;
  readonly events: string[];
  readonly recording: Recording;
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}

/** A stream that the peer has opened and ended, over a transport that takes nothing yet. */
export async function watched(options: Partial<YamuxSessionOptions> = {}): Promise<Watched> {
  const transport = new HeldTransport();
  const session = new YamuxSession(transport, { role: 'server', allowHalfOpen: true, ...options });
  const events: string[] = [];
  session.on('error', (error) => events.push(`session error ${codeOf(error)}`));
  session.on('close', () => events.push('session close'));
  const opened = next(session, 'stream');
  transport.push(frame(windowUpdate, syn, 1, 0));
  transport.push(frame(data, fin, 1, 5, Buffer.from('asked')));
  const [stream] = (await opened) as [YamuxStream];
  const recording = record(stream);
  stream.on('error', (error) => events.push(`stream error ${codeOf(error)}`));
  for (const name of ['end', 'finish'] as const)
    stream.on(name, () => events.push(`stream ${name}`));
  stream.on('close', (hadError: boolean) => events.push(`stream close ${String(hadError)}`));
  stream.resume();
  onTestFinished(async () => {
    const closed = session.close();
    transport.takeAll();
    transport.destroy();
    await closed;
  });
  return { session, stream, transport, events, recording };
}
