import { once } from 'node:events';
import net from 'node:net';

import { ADMIN_OPTION, readAdmin } from '../admin/admin-option.ts';
import { usageFailure } from '../console/failure.ts';
import type { OptionSpecs } from '../options/options.ts';
import type { Log } from '../log/log.ts';
import { isInherited, isLocal, showPlace } from '../console/place.ts';
import { checkDialer, defineDialCommand } from '../dial/dial-command.ts';
import { Dialer, DIAL_OPTIONS, STREAM_OPTIONS } from '../dial/dialer.ts';
import { type Dials, LiveDialer } from '../dial/live-dialer.ts';
import { checkUrl } from '../dial/options/check-url.ts';
import { reloadValues } from '../options/reload-values.ts';
import { EXIT_ON_EOF_OPTION, joinStdio } from '../tunnel/join-stdio.ts';
import { type Listener, runServer } from '../tunnel/run-server.ts';
import { Forwarding } from './forwarding.ts';
import { LOCAL_OPTIONS, type LocalPort, readLocalPorts } from './local-port.ts';
import type { Opener } from './opener.ts';
import { PlainOpener } from './plain-opener.ts';
import { urlOfTarget } from './target-url.ts';

const OPTIONS = {
  ...LOCAL_OPTIONS,
  mux: { help: 'one WebSocket for all connections; it reconnects' },
  'exit-on-eof': { help: `with --listen -: ${EXIT_ON_EOF_OPTION['exit-on-eof'].help}` },
  ...STREAM_OPTIONS,
  ...ADMIN_OPTION,
} as const satisfies OptionSpecs;

export const forward = defineDialCommand<keyof typeof OPTIONS>({
  name: 'forward',
  usage: '--listen HOST:PORT [--to NAME] [OPTIONS] URL',
  summary: 'forwards local TCP ports through WebSockets to wsconn serve',
  details: [
    'Each TCP connection gets its own WebSocket. With --mux all of them share one:',
    'many short connections open faster, but a lost packet delays all of them.',
  ],
  options: OPTIONS,
  examples: [
    'wsconn forward --listen 127.0.0.1:5432 wss://example.org/postgres',
    'wsconn forward --listen 127.0.0.1:2222 --to ssh \\',
    '    --listen 127.0.0.1:5432 --to db wss://example.org',
    'wsconn forward --mux --socks 127.0.0.1:1080 wss://example.org',
  ],
  timed: true,
  check: (values) => Promise.resolve(readLocalPorts(values, checkUrl(values))),
  async run(values, first, log, reread) {
    const ports = readLocalPorts(values, first.url);
    if ('stdio' in ports) {
      if (values.text('admin') !== undefined) {
        throw usageFailure(`${values.nameOf('admin')} serves a --listen with a port: leave it out`);
      }
      const adapter = await first.dial({}, urlOfTarget(first.url, ports.stdio));
      return joinStdio(first, adapter, log, { exitOnEof: values.flag('exit-on-eof') });
    }
    const adminPlace = readAdmin(
      values,
      ports.map(({ place }) => place),
    );
    warnOfOpenPorts(ports, log);
    const dialer = new LiveDialer(first);
    const reload =
      reread &&
      reloadValues(log, {
        started: values,
        reread,
        live: LIVE,
        apply: async (changed) => {
          readLocalPorts(changed, checkUrl(changed));
          const next = await Dialer.of(changed, log);
          await checkDialer(next);
          dialer.current = next;
        },
      });
    const names = values.list('to').filter((name) => name !== '');
    const usesHeaders = values.text('socks') !== undefined || names.length > 0;
    const opener = values.flag('mux')
      ? await muxOpener(dialer, log, usesHeaders)
      : new PlainOpener(dialer);
    const forwarding = new Forwarding(opener, log);
    const listeners = ports.map((port) => listenerOf(port, forwarding));
    const observer =
      adminPlace &&
      // What serves figures is loaded where it is asked for.
      (await import('./figures.ts')).watchForwarding(forwarding, names, { place: adminPlace, log });
    return runServer(log, {
      listeners,
      observer,
      reload: async () => {
        await reload?.();
      },
      stop: async () => {
        const closed = listeners.map(({ server }) => once(server, 'close'));
        for (const { server } of listeners) server.close();
        const cut = await forwarding.end();
        await Promise.all(closed);
        return cut;
      },
    });
  },
});

/** Options that take effect at SIGHUP. */
const LIVE: readonly string[] = ['url', ...Object.keys({ ...DIAL_OPTIONS, ...STREAM_OPTIONS })];

function listenerOf(port: LocalPort, forwarding: Forwarding): Listener {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    forwarding.accept(socket, port);
  });
  return { server, place: port.place, listening: port.listening };
}

/** Warns once of the ports that other machines reach. */
function warnOfOpenPorts(ports: readonly LocalPort[], log: Log): void {
  // Those of systemd are what its unit says.
  const open = ports.flatMap(({ place }) =>
    isInherited(place) || isLocal(place) ? [] : [showPlace(place)],
  );
  if (open.length === 0) return;
  log.warn(
    `everybody who reaches ${open.join(' or ')} may use the tunnel: listen on 127.0.0.1 where that is not meant`,
  );
}

async function muxOpener(dialer: Dials, log: Log, usesHeaders: boolean): Promise<Opener> {
  // Loaded only where it is used.
  const { MuxOpener } = await import('./mux-opener.ts');
  return new MuxOpener(dialer, log, usesHeaders);
}
