import { once } from 'node:events';
import net from 'node:net';

import { parseListen, type Place } from '../console/place.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import type { Log } from '../console/log.ts';
import { showUrl } from '../console/secrets.ts';
import { checkDialer, defineDialCommand } from '../dial/dial-command.ts';
import { DIAL_OPTIONS, Dialer, KEEPALIVE_OPTION } from '../dial/dialer.ts';
import { type Dials, LiveDialer } from '../dial/live-dialer.ts';
import { reloadValues } from '../options/reload-values.ts';
import { EXIT_ON_EOF_OPTION, joinStdio } from '../tunnel/join-stdio.ts';
import { runServer } from '../tunnel/run-server.ts';
import { Forwarding } from './forwarding.ts';
import { type Opener, PlainOpener } from './opener.ts';

const OPTIONS = {
  listen: {
    value: 'HOST:PORT',
    help: "where to accept TCP connections; '-' for a single one on stdin and stdout",
  },
  mux: { help: 'one WebSocket for all connections; it reconnects' },
  'exit-on-eof': { help: `with --listen -: ${EXIT_ON_EOF_OPTION['exit-on-eof'].help}` },
  ...KEEPALIVE_OPTION,
} as const satisfies OptionSpecs;

const STDIO = '-';

export const forward = defineDialCommand<keyof typeof OPTIONS>({
  name: 'forward',
  usage: '--listen HOST:PORT [OPTIONS] URL',
  summary: 'forwards a local TCP port through WebSockets to wsconn serve',
  details: [
    'Each TCP connection gets its own WebSocket. With --mux all of them share one:',
    'many short connections open faster, but a lost packet delays all of them.',
  ],
  options: OPTIONS,
  examples: ['wsconn forward --listen 127.0.0.1:5432 wss://example.org/postgres'],
  timed: true,
  check: (values) => Promise.resolve(listenOf(values)),
  async run(values, first, log, reread) {
    const place = listenOf(values);
    if (place === undefined) {
      return joinStdio(first, await first.dial(), { exitOnEof: values.flag('exit-on-eof') });
    }
    const dialer = new LiveDialer(first);
    const reload =
      reread &&
      reloadValues(log, {
        started: values,
        reread,
        live: LIVE,
        apply: async (changed) => {
          listenOf(changed);
          const next = new Dialer(changed, log);
          await checkDialer(next);
          dialer.current = next;
        },
      });
    const opener = values.flag('mux') ? await muxOpener(dialer, log) : new PlainOpener(dialer);
    const forwarding = new Forwarding(opener, log);
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      forwarding.accept(socket);
    });
    return runServer(log, {
      listeners: [
        {
          server,
          place,
          listening: (address) => `${address}, forwards to ${showUrl(dialer.url)}`,
        },
      ],
      reload: async () => {
        await reload?.();
      },
      stop: async () => {
        const closed = once(server, 'close');
        server.close();
        const cut = await forwarding.end();
        await closed;
        return cut;
      },
    });
  },
});

/** Options that take effect at SIGHUP. */
const LIVE: readonly string[] = ['url', ...Object.keys({ ...DIAL_OPTIONS, ...KEEPALIVE_OPTION })];

/** Returns where to listen; undefined for stdin and stdout. */
function listenOf(values: Values<'listen'>): Place | undefined {
  const where = values.required('listen');
  return where === STDIO ? undefined : parseListen(where, values.nameOf('listen'));
}

async function muxOpener(dialer: Dials, log: Log): Promise<Opener> {
  // Loaded only where it is used: it brings yamux along.
  const { MuxOpener } = await import('./mux-opener.ts');
  return new MuxOpener(dialer, log);
}
