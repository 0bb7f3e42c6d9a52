import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { next } from '../events.ts';
import {
  BINARY,
  CLOSE,
  closePayload,
  frame,
  type Frame,
  type FrameOptions,
  FrameReader,
} from './frames.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEAD_END = '\r\n\r\n';

/**
 * A WebSocket peer made by hand over bare TCP. It sends what the test wants, right or wrong. It
 * answers nothing by itself, and ends its side of TCP only when the test does.
 */
export class RawPeer {
  readonly socket: net.Socket;
  /** Every frame that has come. */
  readonly frames: Frame[] = [];
  /** How the other side ended TCP: in order, or by a reset. Known only while this one reads. */
  readonly tcpEnd: Promise<'end' | 'reset'>;
  readonly #masked: boolean;
  readonly #reader = new FrameReader();
  readonly #arrivals = new EventEmitter();
  #taken = 0;
  #byteCount = 0;

  constructor(socket: net.Socket, head: Buffer, masked: boolean) {
    this.socket = socket;
    this.#masked = masked;
    this.tcpEnd = new Promise((resolve) => {
      socket.once('end', () => {
        resolve('end');
      });
      socket.on('error', () => {
        resolve('reset');
      });
    });
    socket.on('data', this.#onData);
    socket.on('end', () => this.#arrivals.emit('frame'));
    socket.on('close', () => this.#arrivals.emit('frame'));
    this.#onData(head);
  }

  /**
   * Resolves with the next frame that no call has given yet and that has the opcode, or any;
   * rejects when none can come.
   */
  async frame(opcode?: number): Promise<Frame> {
    for (;;) {
      for (let found = this.frames[this.#taken]; found; found = this.frames[this.#taken]) {
        this.#taken++;
        if (opcode === undefined || found.opcode === opcode) return found;
      }
      if (this.socket.destroyed || this.socket.readableEnded)
        throw new Error('TCP ended before the frame');
      await next(this.#arrivals, 'frame');
    }
  }

  /** Resolves with the code of the next Close frame, 1005 for one without. */
  async closeCode(): Promise<number> {
    const { payload } = await this.frame(CLOSE);
    return payload.length === 0 ? 1005 : payload.readUInt16BE(0);
  }

  /** Bytes of payload in all data frames so far. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Resolves when so many bytes of payload have come. */
  async received(byteCount: number): Promise<void> {
    while (this.#byteCount < byteCount) {
      if (this.socket.destroyed || this.socket.readableEnded)
        throw new Error('TCP ended before the bytes');
      await next(this.#arrivals, 'frame');
    }
  }

  /** The payload of all data frames so far, as one. */
  get bytes(): Buffer {
    return Buffer.concat(
      this.frames.filter(({ opcode }) => opcode <= BINARY).map(({ payload }) => payload),
    );
  }

  send(
    opcode: number,
    payload: Uint8Array | string = '',
    options: Partial<FrameOptions> = {},
  ): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.socket.write(frame(opcode, bytes, { masked: this.#masked, ...options }));
  }

  sendClose(code?: number, reason?: string): void {
    this.send(CLOSE, closePayload(code, reason));
  }

  readonly #onData = (chunk: Buffer): void => {
    for (const found of this.#reader.take(chunk)) {
      this.frames.push(found);
      if (found.opcode <= BINARY) this.#byteCount += found.payload.length;
      this.#arrivals.emit('frame');
    }
  };
}

/** Reads up to the end of an HTTP head. Returns it, and the bytes that follow. */
export async function readHead(socket: net.Socket): Promise<{ head: string; rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const end = bytes.indexOf(HEAD_END);
    if (end !== -1) {
      const rest = bytes.subarray(end + HEAD_END.length);
      return { head: bytes.toString('latin1', 0, end), rest };
    }
    const chunk = socket.read() as Buffer | null;
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else if (socket.readableEnded)
      throw new Error(`TCP ended within an HTTP head: ${bytes.toString()}`);
    else await Promise.race([next(socket, 'readable'), next(socket, 'end')]);
  }
}

/**
 * Lines of a handshake request that a server must accept; a line that is given replaces the one of
 * the same name.
 */
export function handshakeRequest(
  lines: Readonly<Record<string, string>> = {},
  target = '/',
): string {
  const headers = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...lines,
  };
  const text = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${text.join('')}\r\n`;
}

/** Connects bare TCP to a port of this machine; errors of the socket count as handled. */
export async function dialTcp(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await next(socket, 'connect');
  return socket;
}

/** Connects to a WebSocket server by hand; `head` is the HTTP head of its answer. */
export async function rawClient(
  port: number,
  lines?: Readonly<Record<string, string>>,
): Promise<{ peer: RawPeer; head: string }> {
  const socket = await dialTcp(port);
  socket.write(handshakeRequest(lines));
  const { head, rest } = await readHead(socket);
  return { peer: new RawPeer(socket, rest, true), head };
}

/** A TCP server that answers one WebSocket handshake by hand. */
export interface RawServer {
  readonly url: string;
  /** Resolves when the handshake is done. */
  readonly peer: Promise<RawPeer>;
  stop(): Promise<void>;
}

/** Listens for one WebSocket client; `lines` go into the answer. */
export async function rawServer(lines: Readonly<Record<string, string>> = {}): Promise<RawServer> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await next(server, 'listening');
  const sockets: net.Socket[] = [];
  const peer = new Promise<RawPeer>((resolve, reject) => {
    server.once('connection', (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      readHead(socket).then(({ head, rest }) => {
        const key = /^sec-websocket-key: *(.*)$/im.exec(head)?.[1] ?? '';
        const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
        const headers = {
          Upgrade: 'websocket',
          Connection: 'Upgrade',
          'Sec-WebSocket-Accept': accept,
          ...lines,
        };
        const text = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${text.join('')}\r\n`);
        resolve(new RawPeer(socket, rest, false));
      }, reject);
    });
  });
  return {
    url: `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    peer,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends bytes to a server by hand, and returns all that it answers until it ends TCP. */
export async function converse(port: number, request: string): Promise<string> {
  const socket = await dialTcp(port);
  socket.end(request);
  return collect(socket);
}

/** Returns all that comes until the other side ends TCP, or resets it. */
export async function collect(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await Promise.race([next(socket, 'end'), next(socket, 'close')]);
  socket.destroy();
  return Buffer.concat(chunks).toString();
}
