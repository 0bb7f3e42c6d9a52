import type { OptionSpecs, Values } from '../console/options.ts';

/** Options of every subcommand that dials a WebSocket. */
export const DIAL_OPTIONS = {
  header: {
    value: "'NAME: VALUE'",
    multiple: true,
    help: 'header to send; may be given more than once',
  },
  'token-file': { value: 'FILE', help: 'file with the token for the server' },
  ca: { value: 'FILE', help: 'CA to trust instead of those known to Node (PEM)' },
  cert: { value: 'FILE', help: 'certificate to show to the server (PEM)' },
  key: { value: 'FILE', help: 'private key of --cert (PEM)' },
  proxy: { value: 'URL', help: 'HTTP proxy (default from HTTPS_PROXY, NO_PROXY)' },
} as const satisfies OptionSpecs;

/** Option of the subcommands that keep a connection open. */
export const KEEPALIVE_OPTION = {
  keepalive: {
    value: 'SECONDS',
    default: '15',
    help: 'idle time before a ping; 0 for none',
  },
} as const satisfies OptionSpecs;

/** What a dialer reads; the keepalive only where the subcommand has that option. */
export type DialName = keyof typeof DIAL_OPTIONS | keyof typeof KEEPALIVE_OPTION | 'url';
export type DialValues = Values<DialName>;
