import type { FromPage, Size } from './shared/protocol.ts';

/** Largest terminal in characters a side: programs reserve memory for each of them. */
const MOST = 1_000;

/**
 * Reads a message of the page.
 * @throws Error that says what is wrong with it
 */
export function readMessage(json: string): FromPage {
  const message = record(JSON.parse(json));
  switch (message['type']) {
    case 'hello': {
      const token = text(message, 'token');
      const size = sizeOf(message);
      if (message['shell'] === undefined) return { type: 'hello', token, size };
      const shell = record(message['shell']);
      const received = position(shell, 'received');
      return { type: 'hello', token, size, shell: { id: text(shell, 'id'), received } };
    }
    case 'input':
      return { type: 'input', data: text(message, 'data') };
    case 'resize':
      return { type: 'resize', size: sizeOf(message) };
    case 'ack':
      return { type: 'ack', position: position(message, 'position') };
    case 'ping':
      return { type: 'ping' };
    default:
      throw new Error('unknown type of message');
  }
}

type Fields = Readonly<Record<string, unknown>>;

function record(value: unknown): Fields {
  if (typeof value === 'object' && value !== null) return value as Fields;
  throw new Error('a message must be an object');
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new Error(`${name} must be a string`);
}

function position(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${name} must be a whole number`);
}

function sizeOf(message: Fields): Size {
  const size = record(message['size']);
  const [cols, rows] = [position(size, 'cols'), position(size, 'rows')];
  if (cols >= 1 && cols <= MOST && rows >= 1 && rows <= MOST) return { cols, rows };
  throw new Error(`size must be from 1 to ${String(MOST)} a side`);
}
