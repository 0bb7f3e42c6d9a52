import { once } from 'node:events';
import net from 'node:net';

import { ADMIN_OPTION, readAdmin } from '../admin/admin-option.ts';
import { usageFailure } from '../console/failure.ts';
import { parseListen } from '../console/place.ts';
import type { OptionSpecs } from '../options/options.ts';
import type { Log } from '../console/log.ts';
import { showUrl } from '../console/secrets.ts';
import { defineDialCommand } from '../dial/dial-command.ts';
import { type Dialer, STREAM_OPTIONS } from '../dial/dialer.ts';
import { EXIT_ON_EOF_OPTION, joinStdio } from '../tunnel/join-stdio.ts';
import { runServer } from '../tunnel/run-server.ts';
import { Forwarding } from './forwarding.ts';
import { type Opener, PlainOpener } from './opener.ts';

const OPTIONS = {
  listen: {
    value: 'HOST:PORT',
    help: "where to accept TCP connections, or systemd; '-' for a single one on stdin and stdout",
  },
  mux: { help: 'one WebSocket for all connections; it reconnects' },
  'exit-on-eof': { help: `with --listen -: ${EXIT_ON_EOF_OPTION['exit-on-eof'].help}` },
  ...STREAM_OPTIONS,
  ...ADMIN_OPTION,
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
  async run(values, dialer, log) {
    const where = values.required('listen');
    if (where === STDIO) {
      if (values.text('admin') !== undefined) {
        throw usageFailure(`${values.nameOf('admin')} serves a --listen with a port: leave it out`);
      }
      return joinStdio(dialer, await dialer.dial(), { exitOnEof: values.flag('exit-on-eof') });
    }
    const place = parseListen(where, values.nameOf('listen'));
    const adminPlace = readAdmin(values, [place]);
    const opener = values.flag('mux') ? await muxOpener(dialer, log) : new PlainOpener(dialer);
    const forwarding = new Forwarding(opener, log);
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      forwarding.accept(socket);
    });
    const observer =
      adminPlace &&
      // What serves figures is loaded where it is asked for.
      (await import('./figures.ts')).watchForwarding(forwarding, { place: adminPlace, log });
    return runServer(log, {
      listeners: [
        {
          server,
          place,
          listening: (address) => `${address}, forwards to ${showUrl(dialer.url)}`,
        },
      ],
      observer,
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

async function muxOpener(dialer: Dialer, log: Log): Promise<Opener> {
  // Loaded only where it is used: it brings yamux along.
  const { MuxOpener } = await import('./mux-opener.ts');
  return new MuxOpener(dialer, log);
}
