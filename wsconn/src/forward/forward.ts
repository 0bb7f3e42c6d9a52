import { once } from 'node:events';
import net from 'node:net';

import type { Command } from '../console/command.ts';
import { Dialer, DIAL_OPTIONS, KEEPALIVE_OPTION } from '../dial/dialer.ts';
import { EXIT_FAILURE } from '../console/failure.ts';
import { Forwarding } from './forwarding.ts';
import { parseHostPort, showHostPort } from '../console/host-port.ts';
import { listen } from '../tunnel/run-server.ts';
import { Log } from '../console/log.ts';
import { type OptionSpecs, readOptions } from '../console/options.ts';
import { type Opener, PlainOpener } from './opener.ts';
import { onceAskedToEnd } from '../console/signals.ts';
import { Stdio } from '../tunnel/stdio.ts';
import { EXIT_ON_EOF_OPTION, throughStdio } from '../tunnel/join-stdio.ts';

const OPTIONS = {
  listen: {
    value: 'HOST:PORT',
    help: "where to take TCP connections; '-' for one on stdin and stdout",
  },
  mux: { help: 'carry all connections over one WebSocket, which is made again when it dies' },
  'exit-on-eof': { help: `with --listen -: ${EXIT_ON_EOF_OPTION['exit-on-eof'].help}` },
  ...DIAL_OPTIONS,
  ...KEEPALIVE_OPTION,
} as const satisfies OptionSpecs;

const STDIO = '-';

export const forward: Command = {
  name: 'forward',
  usage: '--listen HOST:PORT [OPTIONS] URL',
  summary: 'leads a local TCP port through WebSockets to a wsconn serve',
  details: [
    'Each TCP connection gets a WebSocket of its own. With --mux all of them share',
    'one: sooner there for many short ones, but a lost packet then holds up all.',
  ],
  options: OPTIONS,
  argument: { name: 'url', help: 'the server: ws://HOST[:PORT][/PATH], or wss:// for TLS' },
  examples: ['wsconn forward --listen 127.0.0.1:5432 wss://example.org/postgres'],
  async run(args) {
    const values = readOptions(args, process.env, OPTIONS, 'url');
    const log = new Log('forward', { verbose: values.flag('verbose'), timed: true });
    const dialer = new Dialer(values, values.milliseconds('keepalive'));
    const where = values.required('listen');
    if (where === STDIO) {
      const exitOnEof = values.flag('exit-on-eof');
      return throughStdio(dialer, await dialer.dial(), new Stdio(), { exitOnEof });
    }
    const place = parseHostPort(where, values.nameOf('listen'));
    const opener = values.flag('mux') ? await muxOpener(dialer, log) : new PlainOpener(dialer);
    const forwarding = new Forwarding(opener, log);
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      forwarding.take(socket);
    });
    const asked = new Promise<string>(onceAskedToEnd);
    const address = showHostPort(await listen(server, place));
    log.info(`listening on ${address}, leads to ${dialer.url.href}`);
    log.info(`${await asked}: no new connections`);
    const closed = once(server, 'close');
    server.close();
    const cut = await forwarding.end();
    await closed;
    if (cut > 0) log.info(`ended ${String(cut)} connections that were still open`);
    return cut > 0 ? EXIT_FAILURE : 0;
  },
};

async function muxOpener(dialer: Dialer, log: Log): Promise<Opener> {
  const { MuxOpener } = await import('./mux-opener.ts');
  return new MuxOpener(dialer, log);
}
