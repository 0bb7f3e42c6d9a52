/** What the stress suite must find: faults of the kinds that such code has, one in each. */
export interface Fault {
  readonly name: string;
  /** The part that is to find it. */
  readonly part: 'model' | 'sessions';
  readonly file: string;
  /** Code that is there, once, and what takes its place. */
  readonly from: string;
  readonly to: string;
}

const ofAllStreams: readonly Omit<Fault, 'part'>[] = [
  {
    name: "a second 'close'",
    file: 'src/base/close-outcome.ts',
    from: "this.#emitter.emit('close', ...args);",
    to: "this.#emitter.emit('close', ...args); this.#emitter.emit('close', ...args);",
  },
  {
    name: 'an error that is swallowed',
    file: 'src/adapter/connection.ts',
    from: 'this.#stream.destroy(error ?? undefined);',
    to: 'this.#stream.destroy();',
  },
  {
    name: 'the last chunk is lost',
    file: 'src/base/receive-buffer.ts',
    from: "this.#end = 'waiting';",
    to: "this.#end = 'waiting'; this.#single = null; this.#queue.clear();",
  },
  {
    name: 'a cut that is shown as an end',
    file: 'src/adapter/link/connection-errors.ts',
    from: 'closed.tcpEnded && tcpEndIsEof;',
    to: 'closed.tcpEnded;',
  },
  {
    name: 'a write that is called back twice',
    file: 'src/base/pending-write.ts',
    from: 'callback(error ?? (this.#losing',
    to: 'callback(error); callback(error ?? (this.#losing',
  },
  {
    name: 'a listener that is left',
    file: 'src/adapter/link/link.ts',
    from: "ws.off('message', Link.#onMessage);",
    to: '',
  },
  {
    name: 'a ping loop that is started twice',
    file: 'src/adapter/wsconn-socket.ts',
    from: 'if (this.#keepalive) return this.#keepalive;',
    to: '',
  },
  {
    name: 'a close() that returns null after an error',
    file: 'src/base/close-outcome.ts',
    from: 'this.onceClosed(() => {\n        resolve(this.#error);',
    to: 'this.onceClosed(() => {\n        resolve(null);',
  },
  {
    name: 'a write after FIN',
    file: 'src/adapter/half-close.ts',
    from: 'if (!error) this.#onFinSent();',
    to: "if (!error) this.#onFinSent(); this.#ws.send('late');",
  },
  {
    name: 'a timer that is left',
    file: 'src/base/socket-duplex.ts',
    from: 'this.#idle?.stop();\n    this.hangUp(',
    to: 'this.hangUp(',
  },
];

/** Of a connection that outlives its WebSocket: found by two sessions in memory. */
const ofSessions: readonly Omit<Fault, 'part'>[] = [
  {
    name: 'bytes that are known are taken again',
    file: 'src/resume/session/incoming.ts',
    from: 'known > 0 ? bytes.subarray(known) : bytes',
    to: 'bytes',
  },
  {
    name: 'a byte is dropped that the peer lacks',
    file: 'src/resume/session/outgoing.ts',
    from: 'this.#log.acknowledge(Math.min(this.#acked, this.#next));',
    to: 'this.#log.acknowledge(this.#next);',
  },
  {
    name: 'a FIN is not sent again',
    file: 'src/resume/session/outgoing.ts',
    from: 'if (this.#next >= this.written) return null;',
    to: 'if (this.#next >= this.written || this.#sent > this.#log.end) return null;',
  },
  {
    name: 'an end behind a full queue is not sent',
    file: 'src/resume/session/session.ts',
    from: 'if (this.out.isBehind) this.pump();',
    to: 'if (this.out.unsentBytes > 0) this.pump();',
  },
  {
    name: 'what was read is not told',
    file: 'src/resume/session/ack-policy.ts',
    from: 'received > this.#told.received || consumed > this.#told.consumed',
    to: 'received > this.#told.received',
  },
  {
    name: 'a header is written over bytes on the way',
    file: 'src/resume/session/send-log.ts',
    from: 'const memory = block.handedOut ? Buffer.from(block.memory.subarray(skip, to)) : block.memory;',
    to: 'const memory = block.memory;',
  },
];

/** Of the same, found where WebSockets are cut. */
const ofCutPaths: readonly Omit<Fault, 'part'>[] = [
  {
    name: 'a cut that nobody dials again after',
    file: 'src/resume/socket/resumed-connection.ts',
    from: 'if (isResumable(closed)) {',
    to: 'if (isResumable(closed) && this.session.out.unackedBytes > 0) {',
  },
  {
    name: 'a WebSocket that went before is heard',
    file: 'src/resume/socket/resumed-connection.ts',
    from: 'if (!isCurrent() || this.end.over) return;',
    to: 'if (this.end.over) return;',
  },
  {
    name: 'a reset that is said as an end',
    file: 'src/resume/socket/end-procedure.ts',
    from: 'error || this.#resetting || writableLength > 0',
    to: 'writableLength > 0',
  },
];

export const faults: readonly Fault[] = [
  ...[...ofAllStreams, ...ofCutPaths].map((fault): Fault => ({ ...fault, part: 'model' })),
  ...ofSessions.map((fault): Fault => ({ ...fault, part: 'sessions' })),
];
