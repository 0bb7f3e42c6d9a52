/** What a step of a history does. */
import { Writable } from 'node:stream';

import { ResumableSocket } from '../../../src/index.ts';
import type { Link } from '../../support/links/link.ts';
import type { Action, Fault } from './history.ts';
import type { End, WatchedEnd } from './watched-end.ts';

const PING = Buffer.from('ping');

/** Does to an end what a step says. */
export function act(end: WatchedEnd, action: Action): void {
  const { stream } = end;
  switch (action.do) {
    case 'write':
      end.write(action.size, action.reuse);
      break;
    case 'cork':
      stream.cork();
      for (const size of action.sizes) end.write(size, false);
      stream.uncork();
      break;
    case 'end':
      end.end(action.size);
      break;
    case 'close':
      end.close(action.code);
      break;
    case 'read':
      end.read(action.size);
      break;
    case 'encode':
      end.encode(action.encoding);
      break;
    case 'setTimeout':
      stream.setTimeout(action.ms);
      break;
    case 'iterate':
      void end.iterate(action.chunks);
      break;
    case 'fragments':
      sendFragments(end, action.count);
      break;
    default:
      plainly(end, action.do);
  }
}

type Plain = Exclude<Action, { size: number } | { sizes: unknown } | { code: number }>['do'];

function plainly(end: WatchedEnd, what: Plain): void {
  const { stream } = end;
  const ws = stream.ws;
  switch (what) {
    case 'abort':
      end.signal.abort();
      break;
    case 'destroy':
      // With nothing unsent it is an end for the peer.
      end.endedInOrder = true;
      end.endHere();
      stream.destroy();
      break;
    case 'destroySoon':
      end.endedInOrder = true;
      end.endHere();
      stream.destroySoon();
      break;
    case 'fail':
      stream.destroy(Object.assign(new Error('on purpose'), { code: 'ON_PURPOSE' }));
      break;
    case 'pause':
      stream.pause();
      break;
    case 'resume':
      end.flow();
      stream.resume();
      break;
    case 'pipe':
      end.pipe(slowSink());
      break;
    case 'unpipe':
      end.unpipe();
      break;
    case 'ping':
      end.ping();
      break;
    case 'ref':
      stream.ref();
      break;
    case 'unref':
      stream.unref();
      break;
    case 'resetAndDestroy':
      end.reset();
      break;
    case 'pings':
      if (ws?.readyState === ws?.OPEN) for (let i = 0; i < 100; i++) ws?.ping(PING);
      break;
    case 'terminate':
      ws?.terminate();
      break;
    case 'text':
      if (ws?.readyState === ws?.OPEN) ws?.send('text');
      break;
    case 'garbage':
      writeGarbage(stream);
      break;
  }
}

/** Does to the line what a step says. */
export function breakLine(link: Link, fault: Fault): void {
  if (fault === 'fin' || fault === 'rst') link.cut(fault);
  else if (fault === 'flow') link.flow('both');
  else link.stall(fault === 'stall up' ? 'up' : 'down');
}

/** Takes one chunk a turn of the event loop. */
function slowSink(): Writable {
  return new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, callback) => {
      setImmediate(callback);
    },
  });
}

/** Sends payload as a message in fragments, where nothing of the stream's own waits before it. */
function sendFragments(end: WatchedEnd, count: number): void {
  const { stream } = end;
  const { ws } = stream;
  if (!ws || ws.readyState !== ws.OPEN || stream.writableLength > 0) return;
  if (stream.writableEnded || stream.destroyed) return;
  // Its messages have a form of their own: this would be an ACK of nothing.
  if (stream instanceof ResumableSocket) return;
  for (let i = 1; i <= count; i++) ws.send(end.sentAside(100), { fin: i === count });
}

function writeGarbage({ ws }: End): void {
  // What is no frame: a reserved opcode, with a length that never comes.
  const socket = (ws as unknown as { _socket?: { write(chunk: Buffer): void } } | undefined)
    ?._socket;
  if (ws?.readyState === ws?.OPEN) socket?.write(Buffer.from([0x8f, 0xff, 0x00]));
}
