import { defineDialCommand } from '../dial/dial-command.ts';
import { STREAM_OPTIONS } from '../dial/dialer.ts';
import { EXIT_ON_EOF_OPTION, joinStdio } from './join-stdio.ts';

const OPTIONS = { ...EXIT_ON_EOF_OPTION, ...STREAM_OPTIONS };

export const connect = defineDialCommand<keyof typeof OPTIONS>({
  name: 'connect',
  usage: '[OPTIONS] URL',
  summary: 'joins stdin and stdout to a WebSocket; the ProxyCommand of ssh',
  details: [
    'The end of stdin is passed on as such, and the answer to it still arrives, if',
    'the server is wsconn serve or another program that uses ws-conn-adapter.',
  ],
  options: OPTIONS,
  examples: [
    "ssh -o ProxyCommand='wsconn connect wss://example.org/ssh' me@example.org",
    'printf "PING\\r\\n" | wsconn connect ws://127.0.0.1:8080',
  ],
  async run(values, dialer, log) {
    return joinStdio(dialer, await dialer.dial(), log, { exitOnEof: values.flag('exit-on-eof') });
  },
});
