import { describe, expect, test } from 'vitest';

import { bytesOf, cutAtRandom } from '../../src/conformance/frame/bytes.ts';
import {
  type ControlMessage,
  formatMessage,
  MAX_LINE_BYTES,
  MessageReader,
  parseMessage,
} from '../../src/revdial/messages.ts';

const READY: ControlMessage = {
  command: 'conn-ready',
  connPath: '/ssh/revdial?revdial.dialer=00ff&uuid=1-2',
  err: '',
};
const FAILED: ControlMessage = {
  command: 'pickup-failed',
  connPath: '/x?uuid=3',
  err: 'no “way” 🛠\n back',
};
const ALIVE: ControlMessage = { command: 'keep-alive', connPath: '', err: '' };

function read(...chunks: readonly (Buffer | string)[]): ControlMessage[] {
  const reader = new MessageReader();
  return chunks.flatMap((chunk) => [...reader.read(Buffer.from(chunk))]);
}

describe('formatMessage', () => {
  test('leaves out keys that are empty, and ends the line', () => {
    expect(formatMessage({ command: 'keep-alive' })).toBe('{"command":"keep-alive"}\n');
    expect(formatMessage(ALIVE)).toBe('{"command":"keep-alive"}\n');
    expect(formatMessage({ command: 'pickup-failed', connPath: '/a', err: 'b' })).toBe(
      '{"command":"pickup-failed","connPath":"/a","err":"b"}\n',
    );
  });

  test('puts no newline into the line', () => {
    expect(formatMessage(FAILED).indexOf('\n')).toBe(formatMessage(FAILED).length - 1);
  });

  test('cuts an error so that a line with a path of 1024 characters and more fits', () => {
    const line = formatMessage({
      command: 'pickup-failed',
      connPath: `/${'p'.repeat(1_200)}`,
      err: '\u001f'.repeat(9_000),
    });
    expect(Buffer.byteLength(line)).toBeLessThan(MAX_LINE_BYTES);
    expect(parseMessage(Buffer.from(line)).err).toBe('\u001f'.repeat(256));
  });
});

describe('parseMessage', () => {
  test('reads what Go writes: with & < > escaped, and keys in any order', () => {
    const line = String.raw`{"connPath":"/ssh/revdial?revdial.dialer=00ff\u0026uuid=1-2","command":"conn-ready"}`;
    expect(parseMessage(Buffer.from(line))).toEqual(READY);
  });

  test('takes null, and what is not there, for an empty string, and skips keys that it does not know', () => {
    expect(parseMessage(Buffer.from('{"command":"keep-alive","err":null,"since":[1]}'))).toEqual(
      ALIVE,
    );
    expect(parseMessage(Buffer.from('{}'))).toEqual({ ...ALIVE, command: '' });
    expect(parseMessage(Buffer.from('{"command":"dance"}'))).toEqual({
      ...ALIVE,
      command: 'dance',
    });
  });

  test.for([
    '',
    'keep-alive',
    '{"command":"keep-alive"',
    '{"command":"keep-alive"} x',
    '\u0000',
    'null',
    '5',
    '"keep-alive"',
    '["keep-alive"]',
    '{"command":5}',
    '{"command":["keep-alive"]}',
    '{"command":"conn-ready","connPath":{}}',
    '{"command":"pickup-failed","err":false}',
  ])('refuses the line %j with EPROTO', (line) => {
    expect(() => parseMessage(Buffer.from(line))).toThrow(
      expect.objectContaining({ code: 'EPROTO' }),
    );
  });

  test('shows no control character of a bad line in its error', () => {
    expect(() => parseMessage(Buffer.from('\u001b[2J'))).toThrow('"\\u001b[2J"');
  });
});

describe('MessageReader', () => {
  const messages = [ALIVE, READY, FAILED, ALIVE];
  const stream = Buffer.from(messages.map(formatMessage).join(''));

  test('reads the same messages wherever the bytes are cut in two', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(read(stream.subarray(0, at), stream.subarray(at))).toEqual(messages);
    }
  });

  test('reads the same messages one byte at a time', () => {
    expect(read(...Array.from(stream, (byte) => Buffer.of(byte)))).toEqual(messages);
  });

  test('gives each message with the chunk that its newline is in', () => {
    const reader = new MessageReader();
    const line = Buffer.from(formatMessage(READY));
    expect([...reader.read(line.subarray(0, -1))]).toEqual([]);
    expect([...reader.read(line.subarray(-1))]).toEqual([READY]);
  });

  test('takes a line of 4096 bytes, as Go does, and none of 4097', () => {
    const padded = (length: number) => `{"command":"keep-alive"}`.padEnd(length - 1) + '\n';
    expect(read(padded(4_096))).toEqual([ALIVE]);
    expect(() => read(padded(4_097))).toThrow(expect.objectContaining({ code: 'EPROTO' }));
  });

  test('refuses 5000 bytes without newline before more of them come', () => {
    const reader = new MessageReader();
    const byte = Buffer.from('x');
    let taken = 0;
    expect(() => {
      for (; taken < 5_000; taken++) expect([...reader.read(byte)]).toEqual([]);
    }).toThrow(expect.objectContaining({ code: 'EPROTO' }));
    expect(taken).toBe(MAX_LINE_BYTES - 1);
  });

  test('gives the messages before a bad line', () => {
    const given: ControlMessage[] = [];
    expect(() => {
      for (const message of new MessageReader().read(Buffer.from(`${formatMessage(READY)}bad\n`))) {
        given.push(message);
      }
    }).toThrow(expect.objectContaining({ code: 'EPROTO' }));
    expect(given).toEqual([READY]);
  });

  test.for(Array.from({ length: 30 }, (_, seed) => seed))(
    'reads back what was written, cut at random, seed %i',
    (seed) => {
      const random = bytesOf(seed, 2_000);
      const written = Array.from({ length: 40 }, (_, index): ControlMessage => {
        const text = random.toString(index % 2 ? 'utf8' : 'latin1', index * 50, index * 50 + 50);
        return { command: text.slice(0, 8), connPath: text.slice(8, 24), err: text.slice(24) };
      });
      const bytes = Buffer.from(written.map(formatMessage).join(''));
      expect(read(...cutAtRandom(bytes, seed, 70))).toEqual(written);
    },
  );

  test.for(Array.from({ length: 200 }, (_, seed) => seed))(
    'gives messages or EPROTO, and nothing else, for noise, seed %i',
    (seed) => {
      // A good stream in which some bytes are not what they were.
      const noisy = Buffer.from(stream);
      const random = bytesOf(seed, 16);
      for (let i = 0; i < (seed % 4) + 1; i++) {
        noisy[random.readUInt16LE(i * 2) % noisy.length] = random.readUInt8(8 + i);
      }
      const reader = new MessageReader();
      try {
        for (const chunk of cutAtRandom(noisy, seed, 20)) {
          for (const message of reader.read(chunk)) {
            expect(Object.values(message).map((value) => typeof value as string)).toEqual(
              Array.from({ length: 3 }, () => 'string'),
            );
          }
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'EPROTO' });
      }
    },
  );
});
