import { Duplex, duplexPair } from 'node:stream';

import { onTestFinished } from 'vitest';

import {
  type DialBack,
  RevdialListener,
  type RevdialListenerOptions,
} from '../../../src/revdial/index.ts';
import {
  type ControlMessage,
  formatMessage,
  MessageReader,
} from '../../../src/revdial/messages.ts';

/** The other end of a control connection, in the hands of a test. */
export interface RawControl {
  /** The stream for the end under test. */
  readonly control: Duplex;
  /** The test's own end. */
  readonly peer: Duplex;
  /** Commands of the messages that came, in order. */
  readonly commands: readonly string[];
  /** Sends a message, or any text. */
  send(message: string | (Partial<ControlMessage> & Pick<ControlMessage, 'command'>)): void;
  /** Resolves with the next message of that command, which has come already or is to come. */
  take(command: string): Promise<ControlMessage>;
}

/** Makes a control connection in memory, of which the test is one end. */
export function rawControl(): RawControl {
  const [control, peer] = duplexPair();
  const reader = new MessageReader();
  const commands: string[] = [];
  const inbox: ControlMessage[] = [];
  const takers = new Map<string, ((message: ControlMessage) => void)[]>();
  peer.on('data', (chunk: Buffer) => {
    for (const message of reader.read(chunk)) {
      commands.push(message.command);
      const taker = takers.get(message.command)?.shift();
      if (taker) taker(message);
      else inbox.push(message);
    }
  });
  peer.on('error', () => undefined);
  return {
    control,
    peer,
    commands,
    send: (message) => {
      peer.write(typeof message === 'string' ? message : formatMessage(message));
    },
    take: (command) => {
      const index = inbox.findIndex((message) => message.command === command);
      const [found] = index === -1 ? [] : inbox.splice(index, 1);
      if (found) return Promise.resolve(found);
      return new Promise((resolve) => {
        takers.set(command, [...(takers.get(command) ?? []), resolve]);
      });
    },
  };
}

/** Makes a listener whose server is the test itself, and closes it when the test is over. */
export function rawListener(
  dialBack: DialBack,
  options?: RevdialListenerOptions,
): { server: RawControl; listener: RevdialListener } {
  const server = rawControl();
  const listener = new RevdialListener(server.control, dialBack, options);
  onTestFinished(async () => {
    await listener.close();
  });
  return { server, listener };
}

/** A control connection into which nothing goes: no write is ever done, or each takes `ms`. */
export function slowControl(ms = Infinity): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, callback) => {
      if (ms !== Infinity) setTimeout(callback, ms);
    },
  });
}
