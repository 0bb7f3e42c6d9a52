/** Connections that outlive their WebSockets, over a link that histories cut, and one that is cut anyway. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import type { WebSocket } from 'ws';

import { connect, createServer } from '../../../src/index.ts';
import { HarassingRelay } from '../../support/links/harassing-relay.ts';
import { abortable, firstOf, linkTo, type MakePair, optionsOf } from './pairs.ts';
import type { End } from './watched-end.ts';

/**
 * Times in ms that either side waits for the other; whoever is cut off early is not held at all.
 * Longer than the back-off between two handshakes that the relay cuts in a row, on a busy machine,
 * and shorter than what counts as hanging.
 */
const RESUME = { window: 65_536, holdTime: 6_000, giveUpAfter: 6_000 };

/** Cuts after which the relay lets a history come to its end. */
const MOST_CUTS = 4;

/**
 * Time in ms that an end may take, more than others have: it may have to dial more than once to be
 * heard.
 */
const END_TIMEOUT = 3_000;

/** Time in ms between two WebSockets, where one gives way to the next: several fit into a history. */
const ROTATE = 40;

let seed = 0;

interface Path {
  /** Whether a relay cuts what it lets through. */
  readonly isCut: boolean;
  /** Time in ms after which each WebSocket gives way to the next; left out, none does. */
  readonly rotate?: number | undefined;
}

function make({ isCut, rotate }: Path): MakePair {
  return async (settings, [ofA, ofB], accept) => {
    const options = { ...optionsOf(settings), closeTimeout: END_TIMEOUT };
    const server = createServer({ ...options, resume: RESUME });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const relay = isCut ? await HarassingRelay.start(port, ++seed, MOST_CUTS) : null;
    const link = await linkTo(relay?.port ?? port, settings);
    const webSockets: WebSocket[] = [];
    const collect = (socket: End): void => {
      const add = (): void => {
        if (socket.ws) webSockets.push(socket.ws);
      };
      add();
      socket.on('reconnect', add);
    };
    const resume = { ...RESUME, rotate };
    const a = connect(`ws://127.0.0.1:${String(link.port)}`, { ...options, resume, signal: ofA });
    collect(a);
    const accepted = firstOf(a, abortable(accept, ofB), (take) => {
      server.on('connection', (socket) => {
        // The first message is HELLO. Who is cut before it fails here, and begins anew.
        socket.on('error', () => undefined);
        socket.ws?.once('message', () => {
          collect(socket);
          take(socket);
        });
      });
    });
    const stop = async (): Promise<void> => {
      relay?.relent();
      await server.close();
      await relay?.stop();
      await link.stop();
    };
    return { a: a, accepted, link, webSockets, settles: [], stop };
  };
}

/** connect() and createServer() with `resume`. */
export const resumable = make({ isCut: false });

/** The same, behind a relay that cuts each connection. */
export const resumableOverCuts = make({ isCut: true });

/** WebSockets that give way to one another, while some history is in the middle. */
export const rotating = make({ isCut: false, rotate: ROTATE });

/** Those that may be cut as well, also when they have just taken over. */
export const rotatingOverCuts = make({ isCut: true, rotate: ROTATE });
