import net from 'node:net';
import type { Duplex } from 'node:stream';

/** Time in ms without a byte after which a socket that was ended for good is destroyed. */
const SILENCE = 5_000;

/**
 * Ends a stream whose bytes nobody can take any more: what was written to it leaves, however
 * slowly, and then it is destroyed.
 *
 * A socket is read on for that, and what comes is thrown away, until its peer has ended too or says
 * nothing for 5 s: closed under unread bytes it would send a reset, and that would destroy what the
 * peer has not read yet. What the kernel holds after a silence it still delivers.
 */
export function endForGood(stream: Duplex): void {
  if (!stream.writableEnded) stream.end();
  const finish = (): void => {
    if (stream instanceof net.Socket && !stream.readableEnded) discard(stream);
    else stream.destroy();
  };
  if (stream.writableFinished) finish();
  else stream.once('finish', finish);
}

function discard(socket: net.Socket): void {
  const quiet = setTimeout(() => {
    socket.destroy();
  }, SILENCE);
  // It is the socket that may keep the process alive.
  quiet.unref();
  const onData = (): void => {
    quiet.refresh();
  };
  socket.on('data', onData);
  socket.once('end', () => {
    socket.destroy();
  });
  socket.once('close', () => {
    clearTimeout(quiet);
    socket.off('data', onData);
  });
  socket.resume();
}
