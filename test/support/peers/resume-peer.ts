/** Clients of docs/resume.md that are made by hand, message by message, right or wrong. */
import { onTestFinished } from 'vitest';

import {
  decode,
  encodeHello,
  type Hello,
  ID_BYTES,
  type Message,
} from '../../../src/resume/wire/message.ts';
import { BINARY } from './frames.ts';
import { rawClient, type RawPeer } from './raw-peer.ts';

const WINDOW = 8_388_608;

type Lines = Readonly<Record<string, string>>;

/** What a server has answered to a handshake. */
export interface Answered {
  readonly peer: RawPeer;
  readonly status: number;
  /** Value of WsConn-Resume; empty where there is none. */
  readonly told: string;
}

async function shake(port: number, lines: Lines): Promise<Answered> {
  const { peer, head } = await rawClient(port, lines);
  onTestFinished(() => {
    peer.socket.destroy();
  });
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  return { peer, status, told: /^wsconn-resume: *(.*)$/im.exec(head)?.[1] ?? '' };
}

/** Asks for a new session and does not say HELLO; returns the id that the server has given. */
export async function ask(
  port: number,
  lines: Lines = {},
): Promise<{ readonly peer: RawPeer; readonly id: Buffer }> {
  const header = { 'WsConn-Resume': `v=1; new; window=${String(WINDOW)}` };
  const { peer, told } = await shake(port, { ...header, ...lines });
  return { peer, id: Buffer.from(/id=([0-9a-f]{32})/.exec(told)?.[1] ?? '', 'hex') };
}

/** Begins a session. */
export async function begin(
  port: number,
  lines: Lines = {},
): Promise<{ readonly peer: RawPeer; readonly id: Buffer }> {
  const asked = await ask(port, lines);
  sayHello(asked.peer, asked.id);
  return asked;
}

/** Asks for a session that is there; does not say HELLO. */
export function claim(
  port: number,
  id: Buffer,
  received: number,
  lines: Lines = {},
): Promise<Answered> {
  const value = `v=1; id=${id.toString('hex')}; received=${String(received)}`;
  return shake(port, { 'WsConn-Resume': value, ...lines });
}

export function sayHello(peer: RawPeer, id: Buffer, said: Partial<Hello> = {}): void {
  peer.send(BINARY, encodeHello({ id, start: 0, received: 0, consumed: 0, ...said }));
}

/** Sends bytes of data. */
export function sendData(peer: RawPeer, bytes: Uint8Array | string): void {
  peer.send(BINARY, Buffer.concat([Buffer.of(0), Buffer.from(bytes)]));
}

/** Returns the next message of that type; rejects when none can come. */
export async function messageOf<Type extends Message['type']>(
  peer: RawPeer,
  type: Type,
): Promise<Message & { readonly type: Type }> {
  for (;;) {
    const { payload } = await peer.frame(BINARY);
    const message = decode(payload);
    if (typeof message === 'string') throw new Error(message);
    if (message.type === type) return message as Message & { readonly type: Type };
  }
}

/** An id that no server has given. */
export const NO_ID = Buffer.alloc(ID_BYTES, 0x5a);
