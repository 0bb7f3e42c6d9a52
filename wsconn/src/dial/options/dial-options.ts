import type { OptionSpecs, Values } from '../../options/options.ts';

/** Options of every subcommand that dials a WebSocket. */
export const DIAL_OPTIONS = {
  header: {
    value: "'NAME: VALUE'",
    multiple: true,
    between: ': ',
    secret: true,
    help: 'header to send; may be given more than once',
  },
  'token-file': { value: 'FILE', help: 'file with the token for the server' },
  protocol: {
    value: 'NAME',
    multiple: true,
    help: 'subprotocol to offer; may be given more than once',
  },
  'follow-redirects': {
    help: 'go where the server points to; headers and token stay with its host',
  },
  ca: { value: 'FILE', help: 'CA to trust instead of those known to Node (PEM)' },
  cert: { value: 'FILE', help: 'certificate to show to the server (PEM)' },
  key: { value: 'FILE', help: 'private key of --cert (PEM)' },
  servername: {
    value: 'NAME',
    help: 'name to ask for and to verify in TLS, instead of that of the URL',
  },
  pin: {
    value: 'sha256/BASE64',
    multiple: true,
    help: 'public key that the server must have; may be given more than once',
  },
  proxy: {
    value: 'URL',
    secret: true,
    help: 'proxy http:, https:, socks5: or socks5h: (default from HTTPS_PROXY, ALL_PROXY, NO_PROXY)',
  },
  'proxy-ca': { value: 'FILE', help: 'as --ca, for an https: proxy (PEM)' },
} as const satisfies OptionSpecs;

/** Option of the subcommands that keep a connection open. */
export const KEEPALIVE_OPTION = {
  keepalive: {
    value: 'SECONDS',
    default: '15',
    help: 'idle time before a ping; 0 for none',
  },
} as const satisfies OptionSpecs;

/** Options of the subcommands that carry a stream over what they dial. */
export const STREAM_OPTIONS = {
  ...KEEPALIVE_OPTION,
  'max-payload': {
    value: 'BYTES',
    help: 'largest message to take (default 1048576)',
  },
  'tcp-end-is-eof': {
    help: 'take an end without Close for the end of the data, which may be a part',
  },
  resume: {
    help: 'go on over another WebSocket when the path is cut, where the server grants it',
  },
  'resume-give-up': {
    value: 'SECONDS',
    default: '120',
    help: 'time to find a way back in; then the connection fails',
  },
  'resume-rotate': {
    value: 'SECONDS',
    default: '0',
    help: 'age at which the next WebSocket is opened, before the path ends this one; 0 for never',
  },
} as const satisfies OptionSpecs;

/** Variables that can name a proxy; the first that is set wins. */
export const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

/** What a dialer reads; what the subcommand does not have is not given. */
export type DialName = keyof typeof DIAL_OPTIONS | keyof typeof STREAM_OPTIONS | 'mux' | 'url';
export type DialValues = Values<DialName>;
