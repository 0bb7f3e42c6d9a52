import { BINARY, CLOSE, closePayload, CONTINUATION, PING, TEXT } from './frames.ts';
import type { RawPeer } from './raw-peer.ts';

/** What a peer can send that is wrong; the close code that it gets, and the code of the error.
 * The limit of a message is 10 000 bytes. */
export const WRONG: readonly (readonly [string, (peer: RawPeer) => void, number, string])[] = [
  [
    'a text message',
    (peer) => {
      peer.send(TEXT, 'hello');
    },
    1003,
    'EPROTO',
  ],
  [
    'an empty text message',
    (peer) => {
      peer.send(TEXT);
    },
    1003,
    'EPROTO',
  ],
  [
    'a text message in fragments',
    (peer) => {
      peer.send(TEXT, 'hel', { fin: false });
      peer.send(CONTINUATION, 'lo');
    },
    1003,
    'EPROTO',
  ],
  [
    'text that is not UTF-8',
    (peer) => {
      peer.send(TEXT, Buffer.of(0xff));
    },
    1007,
    'EPROTO',
  ],
  [
    'a message that is too large',
    (peer) => {
      peer.send(BINARY, Buffer.alloc(10_001));
    },
    1009,
    'EMSGSIZE',
  ],
  [
    'a header that promises too much',
    (peer) => {
      peer.send(BINARY, '', { claims: 10_001 });
    },
    1009,
    'EMSGSIZE',
  ],
  [
    'a header that promises 2^60 bytes',
    (peer) => {
      peer.send(BINARY, '', { claims: 2 ** 60 });
    },
    1009,
    'EMSGSIZE',
  ],
  [
    'fragments that are too large together',
    (peer) => {
      peer.send(BINARY, Buffer.alloc(9_000), { fin: false });
      peer.send(CONTINUATION, Buffer.alloc(9_000));
    },
    1009,
    'EMSGSIZE',
  ],
  [
    'reserved bit 1',
    (peer) => {
      peer.send(BINARY, 'x', { reserved: 4 });
    },
    1002,
    'EPROTO',
  ],
  [
    'reserved bit 2',
    (peer) => {
      peer.send(BINARY, 'x', { reserved: 2 });
    },
    1002,
    'EPROTO',
  ],
  [
    'reserved bit 3',
    (peer) => {
      peer.send(BINARY, 'x', { reserved: 1 });
    },
    1002,
    'EPROTO',
  ],
  [
    'opcode 3',
    (peer) => {
      peer.send(3, 'x');
    },
    1002,
    'EPROTO',
  ],
  [
    'opcode 15',
    (peer) => {
      peer.send(15, 'x');
    },
    1002,
    'EPROTO',
  ],
  [
    'a continuation of nothing',
    (peer) => {
      peer.send(CONTINUATION, 'x');
    },
    1002,
    'EPROTO',
  ],
  [
    'a message within a message',
    (peer) => {
      peer.send(BINARY, 'x', { fin: false });
      peer.send(BINARY, 'y');
    },
    1002,
    'EPROTO',
  ],
  [
    'a fragmented ping',
    (peer) => {
      peer.send(PING, 'x', { fin: false });
    },
    1002,
    'EPROTO',
  ],
  [
    'a ping that is too long',
    (peer) => {
      peer.send(PING, Buffer.alloc(126));
    },
    1002,
    'EPROTO',
  ],
  [
    'a fragmented Close',
    (peer) => {
      peer.send(CLOSE, closePayload(1000), { fin: false });
    },
    1002,
    'EPROTO',
  ],
  [
    'a Close of one byte',
    (peer) => {
      peer.send(CLOSE, Buffer.of(3));
    },
    1002,
    'EPROTO',
  ],
  [
    'Close 999',
    (peer) => {
      peer.sendClose(999);
    },
    1002,
    'EPROTO',
  ],
  [
    'Close 1005',
    (peer) => {
      peer.sendClose(1005);
    },
    1002,
    'EPROTO',
  ],
  [
    'Close 1006',
    (peer) => {
      peer.sendClose(1006);
    },
    1002,
    'EPROTO',
  ],
  [
    'Close 5000',
    (peer) => {
      peer.sendClose(5000);
    },
    1002,
    'EPROTO',
  ],
  [
    'a Close with a reason that is not UTF-8',
    (peer) => {
      peer.send(CLOSE, Buffer.of(0x03, 0xe8, 0xff));
    },
    1007,
    'EPROTO',
  ],
  [
    'garbage',
    (peer) => {
      peer.socket.write('GET / HTTP/1.1\r\n\r\n');
    },
    1002,
    'EPROTO',
  ],
];
