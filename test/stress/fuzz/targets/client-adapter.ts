/** connect() to a server that answers the handshake with anything. */
import { createHash } from 'node:crypto';
import type net from 'node:net';

import fc from 'fast-check';

import { connect } from '../../../../src/index.ts';
import { garbage, inputsOf } from '../inputs.ts';
import { bits, few, type Input, type Target } from '../target.ts';
import { endUse, startUse } from './use-adapter.ts';
import { Watch } from './watch.ts';
import { frameBytes } from './websocket-bytes.ts';
import { bringAll, turn, Wire } from './wire.ts';

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Stands in an input for what the request's key asks for; it has the length of an answer. */
const ACCEPT = '{-------- accept --------}==';

const status = fc.oneof(
  { weight: 12, arbitrary: fc.constant('HTTP/1.1 101 Switching Protocols') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 401 Unauthorized',
      'HTTP/1.0 101 x',
      'HTTP/1.1 302 Found',
      'HTTP/1.1 103 Early Hints',
      'SSH-2.0-OpenSSH_9.6',
      'HTTP/1.1 999999 x',
    ),
  },
);
const upgrade = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constant([
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
    ]),
  },
  { weight: 1, arbitrary: fc.constant(['Upgrade: websocket']) },
);
const header = fc.constantFrom(
  'WsConn-Features: half-close',
  'WsConn-Features: half-close',
  'WsConn-Features:',
  'Sec-WebSocket-Protocol: mqtt',
  'Sec-WebSocket-Extensions: permessage-deflate',
  'Sec-WebSocket-Accept: wrong',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Location: ws://other.example/',
  'Set-Cookie: \u0001',
  'x'.repeat(100),
);
const answer = fc
  .record({ status, upgrade, more: fc.array(header, { maxLength: 2 }) })
  .map((one) => Buffer.from([one.status, ...one.upgrade, ...one.more, '', ''].join('\r\n')));

const inputs = fc
  .record({
    head: fc.oneof({ weight: 20, arbitrary: answer }, { weight: 1, arbitrary: garbage }),
    rest: inputsOf(frameBytes(false), 4),
  })
  .map(({ head, rest }) => ({ variant: rest.variant, chunks: [head, ...rest.chunks] }));

/** Puts the answer that the key asks for in its place. */
function accepting(chunks: readonly Buffer[], request: string): Buffer[] {
  const key = /^sec-websocket-key: (.*)$/im.exec(request)?.[1]?.trim() ?? '';
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  return chunks.map((chunk) => {
    const at = chunk.indexOf(ACCEPT);
    if (at === -1) return chunk;
    const copy = Buffer.from(chunk);
    copy.write(accept, at, 'latin1');
    return copy;
  });
}

async function run(input: Input): Promise<string[]> {
  let request = '';
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const wire = new Wire((chunk) => {
    if (request.endsWith('\r\n\r\n')) return;
    request += chunk.toString('latin1');
    if (request.endsWith('\r\n\r\n')) isAsked();
  });
  const adapter = connect('ws://server.example/', {
    // ws takes any Duplex here, as its documentation says; its types know net.Socket alone.
    createConnection: (() => wire) as unknown as typeof net.createConnection,
    allowHalfOpen: bits(input, 6) === 1,
    halfClose: bits(input, 7) === 1 ? undefined : true,
    readableHighWaterMark: 100,
    maxPayload: 100_000,
  });
  const watch = new Watch(adapter, true);
  startUse(adapter, input);
  if (bits(input, 0, 3) !== 2) await asked;
  else await turn();
  if (bits(input, 9) === 1) wire.hold();
  await bringAll(wire, accepting(input.chunks, request), bits(input, 8) === 1);
  await endUse(adapter, watch, wire, input);
  return [watch.outcome, `${few(adapter.bytesRead)} read`];
}

export const clientAdapter: Target = { name: 'client-adapter', weight: 3, inputs, run };
