import type { Command } from '../console/command.ts';
import { Dialer, DIAL_OPTIONS, KEEPALIVE_OPTION } from '../dial/dialer.ts';
import { readOptions } from '../console/options.ts';
import { Stdio } from './stdio.ts';
import { EXIT_ON_EOF_OPTION, throughStdio } from './join-stdio.ts';

const OPTIONS = { ...EXIT_ON_EOF_OPTION, ...DIAL_OPTIONS, ...KEEPALIVE_OPTION };

export const connectCommand: Command = {
  name: 'connect',
  usage: '[OPTIONS] URL',
  summary: 'joins stdin and stdout to a WebSocket; the ProxyCommand of ssh',
  details: [
    'An end of stdin is passed on as such, and the answer to it still comes, where',
    'the server is wsconn serve or any other program with this package.',
  ],
  options: OPTIONS,
  argument: { name: 'url', help: 'the server: ws://HOST[:PORT][/PATH], or wss:// for TLS' },
  examples: [
    "ssh -o ProxyCommand='wsconn connect wss://example.org/ssh' me@example.org",
    'printf "PING\\r\\n" | wsconn connect ws://127.0.0.1:8080',
  ],
  async run(args) {
    const values = readOptions(args, process.env, OPTIONS, 'url');
    const dialer = new Dialer(values, values.milliseconds('keepalive'));
    const exitOnEof = values.flag('exit-on-eof');
    return throughStdio(dialer, await dialer.dial(), new Stdio(), { exitOnEof });
  },
};
